//===- EntryArguments.cpp - The arguments of a planned entry point ---------------------------===//

#include "compiler/schedule/EntryArguments.h"
#include "dialect/BufferPlace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::cnn;

ParameterPlaces ParameterPlaces::assign(ModuleOp module) {
  Builder b(module.getContext());
  ParameterPlaces made;
  for (auto param : module.getOps<ParamOp>()) {
    bool prepared = param.getKind() == "prepared";
    int64_t &bytes = prepared ? made.preparedBytes : made.stateBytes;
    param->setAttr("cnn.offset", b.getI64IntegerAttr(bytes));
    made.places[param.getSymNameAttr()] = {prepared, bytes};
    bytes += llvm::alignTo(getBytes(getBufferType(cast<RankedTensorType>(param.getType()))),
                           bufferAlignment);
  }
  made.stateBytes = std::max(made.stateBytes, bufferAlignment);
  module->setAttr("cnn.state_bytes", b.getI64IntegerAttr(made.stateBytes));
  return made;
}

EntryArguments::EntryArguments(func::FuncOp entry, const ParameterPlaces &parameters)
    : entry(entry), parameters(parameters) {
  MLIRContext *context = entry.getContext();
  bool reads = false, writes = false, prepares = false;
  for (Operation &op : entry.getBody().front())
    if (isa<ReadOp, WriteOp>(op)) {
      StringAttr param = isa<ReadOp>(op) ? cast<ReadOp>(op).getParamAttr().getAttr()
                                         : cast<WriteOp>(op).getParamAttr().getAttr();
      (parameters.places.at(param).prepared ? prepares : isa<WriteOp>(op) ? writes : reads) = true;
    }
  if (reads || writes)
    stateIn = add(getBytesType(context, parameters.stateBytes), "state_in");
  if (writes)
    stateOut = add(getBytesType(context, parameters.stateBytes), "state_out");
  if (prepares)
    prepared = add(getBytesType(context, parameters.preparedBytes), "prepared");
  for (BlockArgument argument : entry.getArguments()) {
    auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "cnn.name");
    std::string label = name ? name.str() : "arg" + std::to_string(argument.getArgNumber());
    RankedTensorType type = getTensor(argument);
    inputs.push_back(add(getBufferType(type), "input", label, dropLayout(type)));
  }
  findOutputs();
  for (Output &output : outputs) {
    RankedTensorType type = dropLayout(getTensor(output.elements[0]));
    if (output.packed) {
      type = RankedTensorType::get({static_cast<int64_t>(output.elements.size())},
                                   type.getElementType());
      output.argument =
          add(getBytesType(context, getBytes(getBufferType(type))), "output", output.name, type);
    } else {
      output.argument = add(getBufferType(type), "output", output.name, type);
    }
  }
}

void EntryArguments::findOutputs() {
  for (auto [i, value] : llvm::enumerate(entry.getBody().front().getTerminator()->getOperands())) {
    auto attr = entry.getResultAttrOfType<StringAttr>(i, "cnn.name");
    std::string name = attr ? attr.str() : "result" + std::to_string(i);
    auto [stem, number] = StringRef(name).rsplit('.');
    size_t position;
    bool packed = getTensor(value).getRank() == 0 && !number.getAsInteger(10, position);
    if (packed && position > 0 && !outputs.empty() && outputs.back().packed &&
        outputs.back().name == stem && outputs.back().elements.size() == position)
      outputs.back().elements.push_back(value);
    else
      outputs.push_back({packed ? stem.str() : name, {value}, packed, 0});
  }
}

unsigned EntryArguments::add(Type type, StringRef role, StringRef name, Type tensor) {
  Builder b(type.getContext());
  NamedAttrList list;
  list.set("cnn.role", b.getStringAttr(role));
  if (!name.empty())
    list.set("cnn.name", b.getStringAttr(name));
  if (tensor)
    list.set("cnn.type", TypeAttr::get(tensor));
  types.push_back(type);
  attributes.push_back(list.getDictionary(b.getContext()));
  return types.size() - 1;
}

Block *EntryArguments::addEntryBlock(func::FuncOp planned) {
  planned.setAllArgAttrs(attributes);
  // Arguments are called after what they hold: dumps show the names.
  Block *block = planned.addEntryBlock();
  for (auto [argument, attrs] : llvm::zip(block->getArguments(), attributes)) {
    auto name = attrs.getAs<StringAttr>("cnn.name");
    argument.setLoc(
        NameLoc::get(name ? name : attrs.getAs<StringAttr>("cnn.role"), planned.getLoc()));
  }
  return block;
}

llvm::DenseMap<Value, Value>
EntryArguments::buildBuffers(OpBuilder &b, Block &block,
                             function_ref<Value(LiteralOp)> getConstant) {
  Location loc = entry.getLoc();
  llvm::DenseMap<Value, Value> buffers;
  for (auto [i, argument] : llvm::enumerate(entry.getArguments()))
    buffers[argument] = block.getArgument(inputs[i]);
  auto viewParam = [&](FlatSymbolRefAttr param, std::optional<unsigned> state, Value value) {
    ParameterPlaces::Place place = parameters.places.at(param.getAttr());
    return buildView(b, loc, block.getArgument(place.prepared ? *prepared : *state), place.offset,
                     getBufferType(getTensor(value)));
  };
  for (auto read : entry.getOps<ReadOp>())
    buffers[read.getResult()] = viewParam(read.getParamAttr(), stateIn, read);
  for (auto literal : entry.getOps<LiteralOp>())
    buffers[literal.getResult()] = getConstant(literal);
  for (auto write : entry.getOps<WriteOp>())
    buffers[write.getValue()] = viewParam(write.getParamAttr(), stateOut, write.getValue());
  for (const Output &output : outputs)
    for (auto [i, value] : llvm::enumerate(output.elements)) {
      MemRefType type = getBufferType(getTensor(value));
      Value argument = block.getArgument(output.argument);
      buffers[value] =
          output.packed ? buildView(b, loc, argument, i * getBytes(type), type) : argument;
    }
  return buffers;
}
