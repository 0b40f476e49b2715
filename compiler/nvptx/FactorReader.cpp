//===- FactorReader.cpp - How threads read a factor of a product -----------------------------===//

#include "compiler/nvptx/FactorReader.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::cnn;

Value mlir::cnn::getPointer(ImplicitLocOpBuilder &b, Value buffer, unsigned space) {
  // Arguments of kernels are pointers without an address space; what they point to is global.
  unsigned given = space == 3 ? 3 : 0;
  Value pointer =
      UnrealizedConversionCastOp::create(
          b, TypeRange(LLVM::LLVMPointerType::get(b.getContext(), given)), ValueRange(buffer))
          .getResult(0);
  if (given == space)
    return pointer;
  return LLVM::AddrSpaceCastOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), space),
                                       pointer);
}

Value mlir::cnn::getElement(ImplicitLocOpBuilder &b, Value pointer, Type type, Value number) {
  return LLVM::GEPOp::create(b, pointer.getType(), type, pointer, ValueRange(number));
}

static Value selectOrZero(ImplicitLocOpBuilder &b, Value inside, Value value) {
  if (!inside)
    return value;
  return arith::SelectOp::create(b, inside, value, buildZero(b, b.getLoc(), value.getType()));
}

FactorReader::FactorReader(ElementBuilder &e, unsigned operand)
    : e(e), operand(operand),
      factor(Factor::get(NestOpInterface(e.info.anchor)->getOperand(operand))) {}

int64_t FactorReader::getArgument() const {
  if (factor.isComputed())
    return -1;
  return cast<BlockArgument>(factor.value).getArgNumber();
}

bool FactorReader::isContiguous(ArrayRef<unsigned> along) {
  return factor.isContiguous(e.info, operand, along,
                             [&](unsigned argument) { return e.getAlignment(argument); });
}

bool FactorReader::mayBeOutside(ArrayRef<Index> at) const {
  return llvm::any_of(llvm::zip(at, getTensor(factor.value).getShape()), [](auto pair) {
    auto [index, size] = pair;
    return index.low < 0 || index.high >= size;
  });
}

/// The indices, given that they lie inside of the factor.
SmallVector<Index> FactorReader::getInside(ArrayRef<Index> at) const {
  SmallVector<Index> inside(at);
  for (auto [index, size] : llvm::zip(inside, getTensor(factor.value).getShape())) {
    index.low = std::max<int64_t>(index.low, 0);
    index.high = std::min(index.high, size - 1);
  }
  return inside;
}

SmallVector<Value> FactorReader::load(ArrayRef<Index> at, Value inside, int64_t width) {
  if (!isInSteps() && width == 1)
    return {selectOrZero(e.b, inside, e.evaluate(factor.value, at, e.nest.padding))};
  for (auto [index, size] : llvm::zip(at, getTensor(factor.value).getShape()))
    inside = e.both(inside, e.isInside(index, size));
  SmallVector<Index> place = getInside(at);
  SmallVector<Value> loaded;
  for (const Factor::Input &input : factor.inputs) {
    if (!input.isLarge)
      continue;
    unsigned argument = input.argument.getArgNumber();
    Type element = getTensor(e.getGroup().getInputs()[argument]).getElementType();
    int64_t count = input.isEven ? 1 : width;
    Value source = getPointer(e.b, e.getInput(argument), 1);
    Value number = e.getNumber(argument, e.apply(input.forms, place), inside);
    loaded.push_back(LLVM::LoadOp::create(
        e.b, count == 1 ? element : VectorType::get({count}, element),
        getElement(e.b, source, element, number),
        static_cast<unsigned>(count * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8))));
  }
  if (!isInSteps())
    return {selectOrZero(e.b, inside, loaded.front())};
  if (inside)
    loaded.push_back(inside);
  return loaded;
}

/// What neighbours read of an input that is no large one.
Value FactorReader::loadSmall(const Factor::Input &input, ArrayRef<Index> at, int64_t width) {
  unsigned argument = input.argument.getArgNumber();
  Value inside, memory = e.getInput(argument);
  Value number = e.getNumber(argument, e.apply(input.forms, at), inside);
  Value place = arith::IndexCastUIOp::create(e.b, e.b.getIndexType(), number);
  Type type = getTensor(e.getGroup().getInputs()[argument]).getElementType();
  if (width == 1 || input.isEven)
    return memref::LoadOp::create(e.b, memory, place);
  return vector::LoadOp::create(e.b, VectorType::get({width}, type), memory, place,
                                /*nontemporal=*/false, llvm::MaybeAlign(4 * width));
}

Value FactorReader::compute(ArrayRef<Index> at, Value inside, int64_t width,
                            ArrayRef<Value> &loaded) {
  auto take = [&] {
    Value value = loaded.front();
    loaded = loaded.drop_front();
    return value;
  };
  if (!isInSteps())
    return take();
  SmallVector<Value> values;
  for (const Factor::Input &input : factor.inputs)
    values.push_back(input.isLarge ? take() : loadSmall(input, at, width));
  SmallVector<Index> place = getInside(at);
  SmallVector<Value> results;
  for (int64_t lane = 0; lane < width; ++lane) {
    for (auto [input, value] : llvm::zip(factor.inputs, values)) {
      bool isVector = isa<VectorType>(value.getType());
      e.bind(input.argument,
             isVector ? vector::ExtractOp::create(e.b, value, lane).getResult() : value);
    }
    results.push_back(e.evaluate(factor.value, place, 0.0));
    e.unbind();
  }
  Value result = results.front();
  if (width > 1)
    result =
        vector::FromElementsOp::create(e.b, VectorType::get({width}, result.getType()), results);
  return selectOrZero(e.b, inside || mayBeOutside(at) ? take() : Value(), result);
}
