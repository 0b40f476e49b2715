//===- LowerEntry.cpp - Entry points to the C interface --------------------------------------===//
//
// Every worker runs the whole entry point. Between two barriers, each has a share of the items of
// every launch:
//
//     conv1.forward, 11 items, 4 workers     0 0 1 1 2 2 3 3 | 0 1 2
//     fc1.forward, 2 items                                   | 3 0
//
// that is, as many as every other and at most one of those that are left. A share has a counter of
// what is taken of it (cnn_share): its worker takes item by item, and who is done helps the workers
// after it. So nobody waits for a processor that is slower, or has other things to do. What an item
// computes, and where, is the same whoever runs it.
//
//===--------------------------------------------------------------------------------------------===//

#include "compiler/cpu/LowerEntry.h"
#include "dialect/CnnDialect.h"
#include "dialect/Timing.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "runtime/abi/cnn_abi.h"

using namespace mlir;
using namespace mlir::cnn;

/// The most workers whose shares one looks through, its own included: beside 64 workers, to look at
/// all counters would take longer than most waits.
static constexpr int64_t mostHelped = 8;

namespace {

class EntryLowering {
public:
  EntryLowering(func::FuncOp entry, const Counters &counters)
      : entry(entry), counters(counters), module(entry->getParentOfType<ModuleOp>()),
        builder(entry), pointer(LLVM::LLVMPointerType::get(entry.getContext())),
        i32(builder.getI32Type()), i64(builder.getI64Type()), i8(builder.getI8Type()) {}

  LogicalResult run(StringRef symbol);

private:
  struct Item {
    LaunchOp launch;
    SmallVector<Value> buffers;
  };
  /// What a worker has of the items of a launch: `count` in all, `dealt` of them from item `first`
  /// on, and item `left`, if one is left for it.
  struct Share {
    Value count, dealt, first, left;
  };

  LLVM::GlobalOp getSerialContext();
  void begin(StringRef symbol);
  FailureOr<Value> getPointer(Value buffer);
  void emitLaunches();
  Value getCounter(Location loc, Value owner, bool next);
  Value emitItems(Item &item, const Share &share, Value counter, Value before, Value taken);
  void emitBarrier(Location loc);
  Value getInt(Location loc, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, i64, value);
  }
  Value loadField(Location loc, Value context, int64_t offset, Type type) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, i8, context, LLVM::GEPArg(offset));
    return LLVM::LoadOp::create(builder, loc, type, address);
  }
  /// Takes one more item of the share whose counter this is; returns how many were taken before.
  Value takeOne(Location loc, Value counter) {
    return LLVM::AtomicRMWOp::create(builder, loc, LLVM::AtomicBinOp::add, counter, getInt(loc, 1),
                                     LLVM::AtomicOrdering::monotonic);
  }
  /// A number below twice that of workers, modulo workers.
  Value wrap(Location loc, Value number) {
    Value isBelow = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, number, workers);
    return LLVM::SelectOp::create(builder, loc, isBelow, number,
                                  LLVM::SubOp::create(builder, loc, number, workers));
  }
  /// A new block after the current one.
  Block *addBlock(TypeRange arguments, Location loc) {
    OpBuilder::InsertionGuard guard(builder);
    return builder.createBlock(&made.getBody(), made.getBody().end(), arguments,
                               SmallVector<Location>(arguments.size(), loc));
  }

  func::FuncOp entry;
  const Counters &counters;
  ModuleOp module;
  OpBuilder builder;
  Type pointer, i32, i64, i8;
  LLVM::LLVMFuncOp made;
  llvm::DenseMap<Value, Value> pointers;
  SmallVector<Item> pending;
  /// How many barriers were emitted.
  int64_t barriers = 0;
  Value worker, workers, scratch, barrier, self, start;
  /// The counters of all shares; whether there is only a counter of this worker; and how many
  /// workers' shares, its own included, a worker looks through.
  Value shares, isAlone, rounds;
};

/// The context that stands for a null one: worker 0 of 1, no barrier.
LLVM::GlobalOp EntryLowering::getSerialContext() {
  StringRef name = "cnn.serial_context";
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(name))
    return global;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  Location loc = entry.getLoc();
  auto type =
      LLVM::LLVMStructType::getLiteral(builder.getContext(), {i32, i32, pointer, pointer, pointer});
  auto global = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name, Attribute());
  builder.createBlock(&global.getInitializer());
  Value value = LLVM::UndefOp::create(builder, loc, type);
  Value zero = LLVM::ConstantOp::create(builder, loc, i32, 0);
  Value one = LLVM::ConstantOp::create(builder, loc, i32, 1);
  Value null = LLVM::ZeroOp::create(builder, loc, pointer);
  for (auto [i, field] : llvm::enumerate(ArrayRef<Value>{zero, one, null, null, null}))
    value = LLVM::InsertValueOp::create(builder, loc, value, field, static_cast<int64_t>(i));
  LLVM::ReturnOp::create(builder, loc, value);
  return global;
}

void EntryLowering::begin(StringRef symbol) {
  Location loc = entry.getLoc();
  LLVM::GlobalOp serial = getSerialContext();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                          {pointer, pointer});
  made = LLVM::LLVMFuncOp::create(builder, loc, symbol, type);
  Block *block = made.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);

  // cnn_context: int32 worker, int32 workers, pointer barrier, pointer self, pointer shares.
  Value given = block->getArgument(1);
  Value isNull = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, given,
                                      LLVM::ZeroOp::create(builder, loc, pointer));
  Value context = LLVM::SelectOp::create(builder, loc, isNull,
                                         LLVM::AddressOfOp::create(builder, loc, serial), given);
  worker = LLVM::ZExtOp::create(builder, loc, i64, loadField(loc, context, 0, i32));
  workers = LLVM::ZExtOp::create(builder, loc, i64, loadField(loc, context, 4, i32));
  barrier = loadField(loc, context, 8, pointer);
  self = loadField(loc, context, 16, pointer);
  shares = loadField(loc, context, 24, pointer);
  Value none = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, shares,
                                    LLVM::ZeroOp::create(builder, loc, pointer));
  Value single =
      LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ule, workers, getInt(loc, 1));
  isAlone = LLVM::OrOp::create(builder, loc, none, single);
  Value own = LLVM::AllocaOp::create(builder, loc, pointer, i8, getInt(loc, 2 * CNN_ALIGNMENT),
                                     CNN_ALIGNMENT);
  shares = LLVM::SelectOp::create(builder, loc, isAlone, own, shares);
  Value most = LLVM::UMinOp::create(builder, loc, workers, getInt(loc, mostHelped));
  rounds = LLVM::SelectOp::create(builder, loc, isAlone, getInt(loc, 1), most);
  LLVM::StoreOp::create(builder, loc, getInt(loc, 0), own);

  for (BlockArgument argument : entry.getArguments()) {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, pointer, block->getArgument(0),
                                        LLVM::GEPArg(argument.getArgNumber()));
    pointers[argument] = LLVM::LoadOp::create(builder, loc, pointer, address);
    auto role = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "cnn.role");
    if (role && role.getValue() == "scratch") {
      // One part per worker.
      int64_t bytes = cast<MemRefType>(argument.getType()).getNumElements();
      Value offset = LLVM::MulOp::create(builder, loc, worker, getInt(loc, bytes));
      scratch = LLVM::GEPOp::create(builder, loc, pointer, i8, pointers[argument], offset);
    }
  }
  if (!scratch)
    scratch = LLVM::ZeroOp::create(builder, loc, pointer);
  start = counters.readClock(builder, loc);
}

FailureOr<Value> EntryLowering::getPointer(Value buffer) {
  if (Value known = pointers.lookup(buffer))
    return known;
  Operation *op = buffer.getDefiningOp();
  if (auto cast = dyn_cast<memref::ReinterpretCastOp>(op)) {
    // Another shape of the same memory.
    FailureOr<Value> source = getPointer(cast.getSource());
    if (succeeded(source))
      pointers[buffer] = *source;
    return source;
  }
  if (auto global = dyn_cast<memref::GetGlobalOp>(op)) {
    // The constant is converted with the kernels, under the same name.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&made.front());
    return pointers[buffer] = LLVM::AddressOfOp::create(builder, global.getLoc(), pointer,
                                                        global.getNameAttr().getAttr());
  }
  auto view = dyn_cast<memref::ViewOp>(op);
  APInt offset;
  if (!view || !matchPattern(view.getByteShift(), m_ConstantInt(&offset)))
    return op->emitOpError() << "in an entry point must be a memref.view at a constant offset";
  FailureOr<Value> source = getPointer(view.getSource());
  if (failed(source))
    return failure();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(*source);
  int64_t bytes = offset.getSExtValue();
  // An index inside of the operation has 29 bits; a larger one is silently cut off.
  LLVM::GEPArg index = llvm::isInt<LLVM::kGEPConstantBitWidth>(bytes)
                           ? LLVM::GEPArg(static_cast<int32_t>(bytes))
                           : LLVM::GEPArg(getInt(view.getLoc(), bytes));
  Value result = LLVM::GEPOp::create(builder, view.getLoc(), pointer, i8, *source, index,
                                     LLVM::GEPNoWrapFlags::inbounds);
  return pointers[buffer] = result;
}

/// The counter of what is taken of the share of worker `owner`, before this barrier or the next.
Value EntryLowering::getCounter(Location loc, Value owner, bool next) {
  Value slot = LLVM::SelectOp::create(builder, loc, isAlone, getInt(loc, 0), owner);
  int64_t parity = (barriers + next) % 2;
  Value offset = LLVM::MulOp::create(builder, loc, slot, getInt(loc, 2 * CNN_ALIGNMENT));
  offset = LLVM::AddOp::create(builder, loc, offset, getInt(loc, parity * CNN_ALIGNMENT));
  return LLVM::GEPOp::create(builder, loc, pointer, i8, shares, LLVM::GEPArg(offset));
}

/// Runs the items of a share from `taken`, the number of the item that was taken last, to the end
/// of what is the launch's: `count` items after `before`. Returns the number that was taken then.
Value EntryLowering::emitItems(Item &item, const Share &share, Value counter, Value before,
                               Value taken) {
  LaunchOp launch = item.launch;
  Location loc = launch.getLoc();
  Value end = LLVM::AddOp::create(builder, loc, before, share.count);
  Value start = counters.readClock(builder, loc);
  Block *header = addBlock(i64, loc), *body = addBlock({}, loc), *next = addBlock({}, loc);
  LLVM::BrOp::create(builder, loc, taken, header);

  builder.setInsertionPointToStart(header);
  Value at = header->getArgument(0);
  Value more = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, at, end);
  LLVM::CondBrOp::create(builder, loc, more, body, ValueRange(), next, ValueRange());

  builder.setInsertionPointToStart(body);
  Value number = LLVM::SubOp::create(builder, loc, at, before);
  Value isDealt = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, number, share.dealt);
  number = LLVM::SelectOp::create(
      builder, loc, isDealt, LLVM::AddOp::create(builder, loc, share.first, number), share.left);
  SmallVector<Value> operands = {number, scratch};
  llvm::append_range(operands, item.buffers);
  LLVM::CallOp::create(builder, loc, TypeRange(), launch.getKernelAttr(), operands);
  LLVM::BrOp::create(builder, loc, takeOne(loc, counter), header);
  builder.setInsertionPointToStart(next);
  counters.add(builder, loc, scratch, counters.find(launch.getKernel()), start);
  return at;
}

/// Runs all launches before the next barrier. Every worker gets as many items of each kernel, next
/// to each other: those of one kernel take about as long, and what a worker has stored in one step
/// it reads in the next. What is left of each kernel goes round the workers, from one kernel to the
/// next. A loop then takes what others have not come to.
void EntryLowering::emitLaunches() {
  if (pending.empty())
    return;
  Location loc = pending.front().launch.getLoc();
  Value zero = getInt(loc, 0), one = getInt(loc, 1);
  // All have left the last barrier: nobody counts there any more.
  LLVM::StoreOp::create(builder, loc, zero, getCounter(loc, worker, /*next=*/true));
  int64_t total = 0;
  for (Item &item : pending)
    total += item.launch.getItems();

  Block *header = addBlock(i64, loc), *body = addBlock({}, loc), *next = addBlock({}, loc);
  LLVM::BrOp::create(builder, loc, zero, header);
  builder.setInsertionPointToStart(header);
  Value round = header->getArgument(0);
  Value more =
      LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, round, total > 1 ? rounds : one);
  LLVM::CondBrOp::create(builder, loc, more, body, ValueRange(), next, ValueRange());

  builder.setInsertionPointToStart(body);
  Value owner = LLVM::AddOp::create(builder, loc, worker, round);
  owner = wrap(loc, owner);
  Value counter = getCounter(loc, owner, /*next=*/false);
  Value taken = takeOne(loc, counter), before = zero, passed = zero;
  for (Item &item : pending) {
    Location loc = item.launch.getLoc();
    Value all = getInt(loc, item.launch.getItems());
    Share share;
    share.dealt = LLVM::UDivOp::create(builder, loc, all, workers);
    share.first = LLVM::MulOp::create(builder, loc, share.dealt, owner);
    Value dealt = LLVM::MulOp::create(builder, loc, share.dealt, workers);
    Value rest = LLVM::SubOp::create(builder, loc, all, dealt);
    // One more item at most: that whose turn it is.
    Value turn = LLVM::SubOp::create(builder, loc, owner, passed);
    Value isNegative = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, turn, zero);
    turn = LLVM::SelectOp::create(builder, loc, isNegative,
                                  LLVM::AddOp::create(builder, loc, turn, workers), turn);
    share.left = LLVM::AddOp::create(builder, loc, dealt, turn);
    Value hasTurn = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, turn, rest);
    share.count = LLVM::AddOp::create(builder, loc, share.dealt,
                                      LLVM::ZExtOp::create(builder, loc, i64, hasTurn));
    taken = emitItems(item, share, counter, before, taken);
    before = LLVM::AddOp::create(builder, loc, before, share.count);
    passed = wrap(loc, LLVM::AddOp::create(builder, loc, passed, rest));
  }
  LLVM::BrOp::create(builder, loc, LLVM::AddOp::create(builder, loc, round, one).getResult(),
                     header);
  builder.setInsertionPointToStart(next);
  pending.clear();
}

void EntryLowering::emitBarrier(Location loc) {
  Block *meet = addBlock({}, loc), *next = addBlock({}, loc);
  Value several =
      LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ugt, workers, getInt(loc, 1));
  Value there = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, barrier,
                                     LLVM::ZeroOp::create(builder, loc, pointer));
  Value both = LLVM::AndOp::create(builder, loc, several, there);
  LLVM::CondBrOp::create(builder, loc, both, meet, ValueRange(), next, ValueRange());
  builder.setInsertionPointToStart(meet);
  Value start = counters.readClock(builder, loc);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), {pointer});
  LLVM::CallOp::create(builder, loc, type, ValueRange{barrier, self});
  counters.add(builder, loc, scratch, barrierCounter, start);
  LLVM::BrOp::create(builder, loc, ValueRange(), next);
  builder.setInsertionPointToStart(next);
}

LogicalResult EntryLowering::run(StringRef symbol) {
  if (!entry.getBody().hasOneBlock() || entry.getNumResults() > 0)
    return entry.emitOpError() << "is an entry point and must have one block and no results";
  for (Type type : entry.getArgumentTypes())
    if (auto buffer = dyn_cast<MemRefType>(type); !buffer || !buffer.hasStaticShape())
      return entry.emitOpError() << "is an entry point and must take static memrefs, not " << type;
  begin(symbol);
  for (Operation &op : entry.front()) {
    if (auto launch = dyn_cast<LaunchOp>(op)) {
      Item item{launch, {}};
      for (Value buffer : launch.getBuffers()) {
        FailureOr<Value> pointer = getPointer(buffer);
        if (failed(pointer))
          return failure();
        item.buffers.push_back(*pointer);
      }
      pending.push_back(std::move(item));
    } else if (isa<BarrierOp>(op)) {
      emitLaunches();
      emitBarrier(op.getLoc());
      ++barriers;
    } else if (isa<func::ReturnOp>(op)) {
      emitLaunches();
      counters.add(builder, op.getLoc(), scratch, callCounter, start);
      LLVM::ReturnOp::create(builder, op.getLoc(), ValueRange());
    } else if (!isa<memref::ViewOp, memref::ReinterpretCastOp, memref::GetGlobalOp>(op) &&
               !op.hasTrait<OpTrait::ConstantLike>()) {
      return op.emitOpError() << "cannot stand in an entry point; expected views at constant "
                                 "offsets, cnn.launch and cnn.barrier";
    }
  }
  entry.erase();
  return success();
}

} // namespace

LogicalResult cnn::lowerEntry(func::FuncOp entry, StringRef symbol, const Counters &counters) {
  return EntryLowering(entry, counters).run(symbol);
}
