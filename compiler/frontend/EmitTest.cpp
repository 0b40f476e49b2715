// One function per piece around the body that Emit.cpp makes. In a body every value has a leading
// extent, of 1 here; an entry point's arguments and results do not have it.
#include "compiler/frontend/EmitTest.h"

#include "compiler/frontend/Diagnostics.h"
#include "compiler/frontend/Emit.h"
#include "compiler/transforms/ReverseMode.h"
#include "dialect/CnnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

using namespace cnn;
using llvm::StringRef;

std::string cnn::entryOfPiece(unsigned index) { return "part" + std::to_string(index); }
std::string cnn::nameOfTensor(unsigned index) { return "t" + std::to_string(index); }

namespace {

class TestEmitter {
public:
  TestEmitter(mlir::MLIRContext &context, mlir::Type element, Diagnostics &diagnostics)
      : builder(&context), element(element), diagnostics(diagnostics) {}

  mlir::OwningOpRef<mlir::ModuleOp> run(const TestProgram &program,
                                        llvm::ArrayRef<TestPiece> pieces, StringRef name) {
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::ModuleOp::create(builder, locate(builder, program.range, name, diagnostics), name);
    (*module)->setAttr("cnn.phase", builder.getStringAttr("grad"));
    builder.setInsertionPointToEnd(module->getBody());
    emitParams(builder, program.graph, nullptr, element, diagnostics);
    for (auto [index, piece] : llvm::enumerate(pieces)) {
      builder.setInsertionPointToEnd(module->getBody());
      if (!piece.outputs.empty() && !emitPiece(piece, index))
        return nullptr;
    }
    eraseUnread(*module);
    // The verifiers speak through the context's handler; what they find is a mistake of ours.
    if (mlir::failed(mlir::verify(*module)))
      return nullptr;
    return module;
  }

private:
  /// Parameters that nothing reads have no place in the state: only the shape of what they would
  /// have computed was looked at.
  static void eraseUnread(mlir::ModuleOp module) {
    llvm::StringSet<> read;
    module.walk([&](mlir::cnn::ReadOp op) { read.insert(op.getParam()); });
    for (auto param : llvm::make_early_inc_range(module.getOps<mlir::cnn::ParamOp>()))
      if (!read.contains(param.getSymName()))
        param.erase();
  }

  mlir::RankedTensorType typeOf(const GraphTensor &tensor, bool leading) {
    llvm::SmallVector<int64_t> shape;
    if (leading)
      shape.push_back(1);
    llvm::append_range(shape, tensor.shape);
    return mlir::RankedTensorType::get(shape, tensor.integer ? builder.getI32Type() : element);
  }

  mlir::Value reshape(mlir::Value value, mlir::RankedTensorType type) {
    if (value.getType() == type)
      return value;
    return mlir::cnn::ReshapeOp::create(builder, value.getLoc(), type, value);
  }

  bool emitPiece(const TestPiece &piece, unsigned index) {
    const Graph &graph = piece.graph;
    llvm::SmallVector<mlir::Type> inputTypes, outputTypes;
    for (unsigned input : graph.inputs)
      inputTypes.push_back(typeOf(graph.tensors[input], false));
    for (unsigned output : graph.outputs)
      outputTypes.push_back(typeOf(graph.tensors[output], false));
    std::string name = entryOfPiece(index);
    mlir::Location place = locate(builder, graph.range, name, diagnostics);
    auto function = mlir::func::FuncOp::create(builder, place, name,
                                               builder.getFunctionType(inputTypes, outputTypes));
    builder.setInsertionPointToStart(function.addEntryBlock());
    llvm::SmallVector<mlir::Value> inputs, outputs;
    for (auto [i, input] : llvm::enumerate(graph.inputs)) {
      function.setArgAttr(i, "cnn.name", builder.getStringAttr(nameOfTensor(piece.inputs[i])));
      inputs.push_back(reshape(function.getArgument(i), typeOf(graph.tensors[input], true)));
    }
    llvm::SmallVector<mlir::Value> results =
        emitBody(builder, graph, inputs, /*batch=*/1, element, diagnostics);
    if (results.size() != graph.outputs.size())
      return false;
    for (auto [i, output] : llvm::enumerate(graph.outputs)) {
      function.setResultAttr(i, "cnn.name", builder.getStringAttr(nameOfTensor(piece.outputs[i])));
      outputs.push_back(reshape(results[i], typeOf(graph.tensors[output], false)));
    }
    mlir::func::ReturnOp::create(builder, place, outputs);
    mlir::cnn::eraseDeadOps(function.front());
    return true;
  }

  mlir::OpBuilder builder;
  mlir::Type element;
  Diagnostics &diagnostics;
};

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> cnn::emitTest(mlir::MLIRContext &context,
                                                const TestProgram &program,
                                                llvm::ArrayRef<TestPiece> pieces, StringRef name,
                                                StringRef elementType, Diagnostics &diagnostics) {
  mlir::Builder builder(&context);
  mlir::Type element =
      elementType == "f64" ? mlir::Type(builder.getF64Type()) : builder.getF32Type();
  return TestEmitter(context, element, diagnostics).run(program, pieces, name);
}
