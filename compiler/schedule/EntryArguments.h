//===- EntryArguments.h - The arguments of a planned entry point -----------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_ENTRYARGUMENTS_H
#define CNNC_COMPILER_SCHEDULE_ENTRYARGUMENTS_H

#include "compiler/schedule/Buffers.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace mlir::cnn {

/// Where the parameters of a module lie: in the state, or in the buffer of what is prepared from
/// it.
struct ParameterPlaces {
  struct Place {
    bool prepared;
    int64_t offset;
  };
  int64_t stateBytes = 0, preparedBytes = 0;
  llvm::DenseMap<StringAttr, Place> places;

  /// Places every parameter, and says so at each and at the module.
  static ParameterPlaces assign(ModuleOp module);
};

/// The arguments of a planned entry point, in the order of the C interface (runtime/abi): state in
/// and out, what is prepared, inputs, outputs, arena, scratch. Each says what it is: `cnn.role`,
/// `cnn.name`, and `cnn.type` where it is a tensor.
class EntryArguments {
public:
  /// Collects all but arena and scratch, which are added when their sizes are known.
  EntryArguments(func::FuncOp entry, const ParameterPlaces &parameters);
  unsigned add(Type type, StringRef role, StringRef name = {}, Type tensor = {});

  ArrayRef<Type> getTypes() const { return types; }
  /// Gives `planned`, which has these types, what is said of the arguments, and its block.
  Block *addEntryBlock(func::FuncOp planned);
  /// The buffers of inputs, parameters and outputs, as views of the block's arguments.
  /// `getConstant` is that of a literal.
  llvm::DenseMap<Value, Value> buildBuffers(OpBuilder &b, Block &block,
                                            function_ref<Value(LiteralOp)> getConstant);

private:
  /// Results called x.0, x.1, ... are the elements of one output x.
  struct Output {
    std::string name;
    SmallVector<Value> elements;
    bool packed;
    unsigned argument;
  };
  void findOutputs();

  func::FuncOp entry;
  const ParameterPlaces &parameters;
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  std::optional<unsigned> stateIn, stateOut, prepared;
  SmallVector<unsigned> inputs;
  SmallVector<Output> outputs;
};

} // namespace mlir::cnn

#endif // CNNC_COMPILER_SCHEDULE_ENTRYARGUMENTS_H
