// Walks a function once. For an operation with a nest: the bodies are built for scalars in a block
// of their own, and run at every point of the iteration space, parallel dimensions outside, reduced
// ones inside and in order.
#include "compiler/reference/Reference.h"

#include "compiler/reference/ScalarBody.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

using namespace cnn;
using namespace mlir;
using mlir::cnn::DecomposeOpInterface;
using mlir::cnn::getTensor;
using mlir::cnn::Nest;
using mlir::cnn::NestOpInterface;

namespace {

/// An affine map as numbers: per result, a factor for each dimension, then a constant.
struct LinearMap {
  explicit LinearMap(AffineMap map) {
    unsigned dims = map.getNumDims();
    Builder builder(map.getContext());
    auto at = [&](int64_t dim) {
      SmallVector<Attribute> point(dims, builder.getIndexAttr(0));
      if (dim >= 0)
        point[dim] = builder.getIndexAttr(1);
      SmallVector<Attribute> values;
      (void)map.constantFold(point, values);
      SmallVector<int64_t> numbers;
      for (Attribute value : values)
        numbers.push_back(cast<IntegerAttr>(value).getInt());
      return numbers;
    };
    constants = at(-1);
    for (unsigned dim = 0; dim < dims; ++dim) {
      factors.push_back(at(dim));
      for (auto [factor, constant] : llvm::zip(factors.back(), constants))
        factor -= constant;
    }
  }

  /// The row-major position of `point` in a tensor of `shape`, or -1 outside of it.
  int64_t locate(ArrayRef<int64_t> point, ArrayRef<int64_t> shape) const {
    int64_t position = 0;
    for (size_t result = 0; result < constants.size(); ++result) {
      int64_t index = constants[result];
      for (size_t dim = 0; dim < point.size(); ++dim)
        index += factors[dim][result] * point[dim];
      if (index < 0 || index >= shape[result])
        return -1;
      position = position * shape[result] + index;
    }
    return position;
  }

  SmallVector<int64_t> constants;
  SmallVector<SmallVector<int64_t>> factors;
};

/// Which of the three bodies of a nest.
enum class Part { Init, Body, Finish };

/// Evaluates one operation.
class NestEvaluator {
public:
  NestEvaluator(NestOpInterface op) : op(op), nest(op.getNest()) {
    for (AffineMap map : nest.operandMaps)
      operandMaps.emplace_back(map);
    for (AffineMap map : nest.resultMaps)
      resultMaps.emplace_back(map);
    reduces = nest.numParallel < nest.getNumDims();
  }

  LogicalResult run(ArrayRef<const ReferenceTensor *> inputs,
                    MutableArrayRef<ReferenceTensor> outputs) {
    this->inputs = inputs;
    this->outputs = outputs;
    unsigned results = op->getNumResults();
    bool ownInit = reduces && nest.initOperand < 0;
    if (failed(build(Part::Body, body)) || (ownInit && failed(build(Part::Init, init))) ||
        (reduces && failed(build(Part::Finish, finish))))
      return failure();
    for (unsigned i = 0; i < results; ++i)
      outputs[i].assign(getTensor(op->getResult(i)).getNumElements(), 0.0);
    point.assign(nest.getNumDims(), 0);
    values.assign(op->getNumOperands() + results + nest.getNumDims(), Scalar());
    accumulators.assign(results, Scalar());
    visitParallel(0);
    return success();
  }

private:
  /// Arguments of a body's block: operands, accumulators, indices.
  LogicalResult build(Part part, std::unique_ptr<ScalarBody> &built) {
    OwningOpRef<ModuleOp> holder = ModuleOp::create(op->getLoc());
    Block &block = *holder->getBody();
    OpBuilder builder(op->getContext());
    SmallVector<Value> operands, given, indices;
    for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
      Value argument = block.addArgument(getTensor(operand).getElementType(), op->getLoc());
      operands.push_back(static_cast<int>(index) == nest.initOperand ? Value() : argument);
    }
    SmallVector<Type> types;
    for (Value result : op->getResults()) {
      types.push_back(getTensor(result).getElementType());
      given.push_back(block.addArgument(types.back(), op->getLoc()));
    }
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
      indices.push_back(block.addArgument(builder.getI32Type(), op->getLoc()));
    auto index = [&](unsigned dim) { return indices[dim]; };
    builder.setInsertionPointToEnd(&block);
    SmallVector<Value> computed;
    if (part == Part::Init)
      computed = op.buildInit(builder, op->getLoc(), types);
    else if (part == Part::Finish)
      computed = op.buildFinish(builder, op->getLoc(), given, index);
    else
      computed = op.buildBody(builder, op->getLoc(), operands,
                              reduces ? ValueRange(given) : ValueRange(), index);
    FailureOr<ScalarBody> scalar = ScalarBody::create(block, computed);
    if (succeeded(scalar))
      built = std::make_unique<ScalarBody>(std::move(*scalar));
    return success(succeeded(scalar));
  }

  Scalar read(unsigned operand) const {
    RankedTensorType type = getTensor(op->getOperand(operand));
    int64_t at = operandMaps[operand].locate(point, type.getShape());
    double value = at < 0 ? nest.padding : (*inputs[operand])[at];
    if (isa<FloatType>(type.getElementType()))
      return {value, 0};
    return {0, std::isfinite(value) ? static_cast<int64_t>(value) : 0};
  }

  void setIndices() {
    unsigned first = op->getNumOperands() + op->getNumResults();
    for (unsigned dim = 0; dim < nest.getNumDims(); ++dim)
      values[first + dim].integer = point[dim];
  }

  void setAccumulators() {
    std::copy(accumulators.begin(), accumulators.end(), values.begin() + op->getNumOperands());
  }

  void visitParallel(unsigned dim) {
    if (dim < nest.numParallel) {
      for (point[dim] = 0; point[dim] < nest.sizes[dim]; ++point[dim])
        visitParallel(dim + 1);
      return;
    }
    if (reduces) {
      std::fill(point.begin() + nest.numParallel, point.end(), 0);
      if (nest.initOperand >= 0)
        accumulators[0] = read(nest.initOperand);
      else
        init->run(values, accumulators);
      visitReduced(nest.numParallel);
      std::fill(point.begin() + nest.numParallel, point.end(), 0);
      setIndices();
      setAccumulators();
      finish->run(values, accumulators);
    } else {
      compute();
    }
    write();
  }

  void visitReduced(unsigned dim) {
    if (dim == nest.getNumDims())
      return compute();
    for (point[dim] = 0; point[dim] < nest.sizes[dim]; ++point[dim])
      visitReduced(dim + 1);
  }

  void compute() {
    for (unsigned operand = 0; operand < op->getNumOperands(); ++operand)
      if (static_cast<int>(operand) != nest.initOperand)
        values[operand] = read(operand);
    setIndices();
    setAccumulators();
    body->run(values, accumulators);
  }

  void write() {
    for (unsigned i = 0; i < op->getNumResults(); ++i) {
      RankedTensorType type = getTensor(op->getResult(i));
      int64_t at = resultMaps[i].locate(point, type.getShape());
      if (at < 0)
        continue;
      double value = isa<FloatType>(type.getElementType())
                         ? accumulators[i].number
                         : static_cast<double>(accumulators[i].integer);
      outputs[i][at] = nest.scatter ? outputs[i][at] + value : value;
    }
  }

  NestOpInterface op;
  Nest nest;
  bool reduces = false;
  std::vector<LinearMap> operandMaps, resultMaps;
  std::unique_ptr<ScalarBody> init, body, finish;
  ArrayRef<const ReferenceTensor *> inputs;
  MutableArrayRef<ReferenceTensor> outputs;
  SmallVector<int64_t> point;
  std::vector<Scalar> values, accumulators;
};

/// Replaces losses and updates by their parts, until none is left.
void decompose(func::FuncOp function) {
  bool changed = true;
  while (changed) {
    changed = false;
    function.walk([&](DecomposeOpInterface op) {
      OpBuilder builder(op);
      op->replaceAllUsesWith(op.decompose(builder));
      op->erase();
      changed = true;
    });
  }
}

/// The elements of a constant tensor.
ReferenceTensor readElements(ElementsAttr elements) {
  ReferenceTensor tensor;
  if (isa<FloatType>(elements.getElementType()))
    for (APFloat value : elements.getValues<APFloat>())
      tensor.push_back(FloatAttr::getValueAsDouble(value));
  else
    for (APInt value : elements.getValues<APInt>())
      tensor.push_back(static_cast<double>(value.getSExtValue()));
  return tensor;
}

} // namespace

namespace cnn {

FailureOr<std::vector<ReferenceTensor>>
evaluateReference(ModuleOp module, llvm::StringRef name, ArrayRef<ReferenceTensor> arguments,
                  const llvm::StringMap<ReferenceTensor> &state,
                  llvm::StringMap<ReferenceTensor> *written) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function || function.isExternal() || function.getNumArguments() != arguments.size())
    return module.emitError() << "the reference finds no function '" << name << "' of "
                              << arguments.size() << " arguments";
  decompose(function);
  DenseMap<Value, ReferenceTensor> tensors;
  for (auto [argument, tensor] : llvm::zip(function.getArguments(), arguments))
    tensors[argument] = tensor;
  std::vector<ReferenceTensor> results;
  for (Operation &op : function.front()) {
    SmallVector<ReferenceTensor> outputs(op.getNumResults());
    if (auto read = dyn_cast<mlir::cnn::ReadOp>(op)) {
      auto found = state.find(read.getParam());
      if (found == state.end())
        return op.emitError() << "the reference has no value of '" << read.getParam() << "'";
      outputs[0] = found->second;
    } else if (auto write = dyn_cast<mlir::cnn::WriteOp>(op); write && written) {
      (*written)[write.getParam()] = tensors.lookup(write.getValue());
    } else if (isa<mlir::cnn::ReshapeOp>(op)) {
      outputs[0] = tensors.lookup(op.getOperand(0));
    } else if (auto literal = op.getAttrOfType<ElementsAttr>("value");
               literal && op.getNumOperands() == 0) {
      outputs[0] = readElements(literal);
    } else if (auto nest = dyn_cast<NestOpInterface>(op)) {
      SmallVector<const ReferenceTensor *> inputs;
      for (Value operand : op.getOperands())
        inputs.push_back(&tensors[operand]);
      if (failed(NestEvaluator(nest).run(inputs, outputs)))
        return failure();
    } else if (isa<func::ReturnOp>(op)) {
      for (Value operand : op.getOperands())
        results.push_back(tensors[operand]);
    } else {
      return op.emitError() << "the reference does not know the operation '" << op.getName() << "'";
    }
    for (auto [result, output] : llvm::zip(op.getResults(), outputs))
      tensors[result] = std::move(output);
  }
  return results;
}

} // namespace cnn
