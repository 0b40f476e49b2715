//===- CnnStructureOps.td - Parameters, recipes, groups, buffers, launches ----------------------===//

#ifndef CNNC_DIALECT_CNN_STRUCTURE_OPS_TD
#define CNNC_DIALECT_CNN_STRUCTURE_OPS_TD

include "dialect/CnnAttrs.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===--------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------===//

def Cnn_ParamOp : Cnn_Op<"param", [Symbol]> {
  let summary = "declares a tensor of the state";
  let description = [{
    A parameter, a tensor of optimizer state, or a running statistic. Its name is the layer's, a dot,
    and the tensor's (`@conv1.weight`); weight files use it. What the entry point `prepare` computes
    from these once, for the others to read, is of the kind `prepared`: it lies in a buffer of its own, in
    the layout of its type, and no file has it.

    ```mlir
    cnn.param @conv1.weight : tensor<6x1x5x5xf32> parameter <"xavier_uniform", fan_in = 25, fan_out = 150>
    cnn.param @conv1.weight.velocity : tensor<6x1x5x5xf32> optimizer <"constant", value = 0.0 : f64>
    cnn.param @conv1.forward.winograd_weight.prepared : tensor<6x6x6x1xf32> prepared <"constant", value = 0.0 : f64>
    ```

    Constraints:
    - C1: `kind` is `parameter`, `optimizer`, `running` or `prepared`.
    - C2: the type has a static shape and a float element type.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, StrAttr:$kind,
                       Cnn_InitAttr:$init);
  let assemblyFormat = "$sym_name `:` $type custom<Keyword>($kind) $init attr-dict";
  let hasVerifier = 1;
}

def Cnn_ReadOp : Cnn_Op<"read", [Pure, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "reads a tensor of the current state";
  let description = [{
    Gives the value at the beginning of the step, wherever it stands.

    Constraints:
    - C1: the symbol names a `cnn.param`.
    - C2: the type is the parameter's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$param);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$param `:` type($result) attr-dict";
}

def Cnn_WriteOp : Cnn_Op<"write", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "writes a tensor of the next state";
  let description = [{
    The next state is another buffer, so a write is never seen by a read of the same step; the caller
    takes the new state only if the step was finite. A tensor that is not written keeps its value
    only in steps that write no state at all.

    Constraints:
    - C1: the symbol names a `cnn.param`.
    - C2: the type is the parameter's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$param, AnyRankedTensor:$value);
  let assemblyFormat = "$param `,` $value `:` type($value) attr-dict";
}

def Cnn_RecipeOp : Cnn_Op<"recipe", [Symbol]> {
  let summary = "how a network is trained";
  let description = [{
    What the gradient phase needs of a `train` declaration. Learning rate, momentum and the like are
    run-time scalars and do not stand here. The discardable attributes are the optimizer's flags:
    `momentum = true` says that there is a velocity at all.

    ```mlir
    cnn.recipe @on_fashion net @lenet loss "cross_entropy" optimizer "sgd" {momentum = true, nesterov = true}
    ```

    Constraints:
    - C1: `loss` is one that an operation describes (`dialect/Loss.h`), and `loss_args` has numbers for some of
      its hyperparameters.
    - C2: `optimizer` is one that an operation describes (`dialect/Optimizer.h`), and each other attribute is one
      of its flags.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$net, StrAttr:$loss,
                       OptionalAttr<DictionaryAttr>:$loss_args, StrAttr:$optimizer);
  let assemblyFormat = "$sym_name `net` $net `loss` $loss `optimizer` $optimizer attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The optimizer's flags that are set.
    ::llvm::SmallVector<::llvm::StringRef> getFlags();
  }];
}

//===--------------------------------------------------------------------------------------------===//
// Groups
//===--------------------------------------------------------------------------------------------===//

def Cnn_GroupOp : Cnn_Op<"group", [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "operations that become one kernel";
  let description = [{
    An inner group holds one anchor (a convolution, a matrix product, a window or a reduction), with
    the pointwise operations before and after it that are computed in its registers, and possibly a
    pooling. An outer group holds groups and runs them slice by slice of the batch.

    ```mlir
    %p = cnn.group "conv1.forward" (%a = %image, %w = %conv1.weight) : (tensor<...>, ...) -> (tensor<...>)
        schedule #cnn.nest<"direct", vector = 0, tile = [1, 6, 2, 2, 1, 1, 1], order = [...]>
        because "..." {
      %c = cnn.conv ...
      %s = cnn.sigmoid %c
      cnn.yield %s
    }
    ```

    Constraints:
    - C1: the region's arguments have the operands' types, in order.
    - C2: the terminator yields values of the results' types, in order.
    - C3: an inner group's schedule is a `#cnn.nest` or, for a GPU, a `#cnn.gpu_schedule`, an outer one's a
      `#cnn.slices`; only the latter contains groups.
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyRankedTensor>:$inputs,
                       OptionalAttr<AnyAttr>:$schedule, OptionalAttr<StrAttr>:$reason);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether the group contains other groups.
    bool isOuter();
    YieldOp getYield();
    /// Gives the body's arguments and what it yields the types of inputs and results.
    void adoptTypes();
    /// Adds to what was decided about the group, and why.
    void addReason(const ::llvm::Twine &text);
    /// The schedule of an inner group for a CPU; null before the schedule phase.
    NestScheduleAttr getNestSchedule();
    /// The schedule of a group for a GPU; null for a CPU's.
    GpuScheduleAttr getGpuSchedule();
    /// The schedule of an outer group; null for an inner one.
    SliceScheduleAttr getSliceSchedule();
  }];
}

def Cnn_YieldOp : Cnn_Op<"yield", [Pure, Terminator, ParentOneOf<["GroupOp", "PartialSumsOp"]>]> {
  let summary = "ends a group, or another region, with its results";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===--------------------------------------------------------------------------------------------===//
// Buffers
//===--------------------------------------------------------------------------------------------===//

def Cnn_FromBufferOp : Cnn_Op<"from_buffer", [Pure]> {
  let summary = "a logical tensor that lies in a buffer";
  let description = [{
    The encoding of the tensor's type says how the elements lie. A buffer whose outermost extent is 1
    where the layout has several blocks of the batch holds the current slice only.
  }];
  let arguments = (ins AnyMemRef:$buffer);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$buffer `:` type($buffer) `->` type($result) attr-dict";
}

def Cnn_ToBufferOp : Cnn_Op<"to_buffer"> {
  let summary = "stores a logical tensor into a buffer";
  let description = [{
    `nontemporal`: past the caches, which do not hold it until it is read.
  }];
  let arguments = (ins AnyRankedTensor:$value, AnyMemRef:$buffer, UnitAttr:$nontemporal);
  let assemblyFormat = "$value `,` $buffer `:` type($value) `->` type($buffer) attr-dict";
}

def Cnn_LaunchOp : Cnn_Op<"launch"> {
  let summary = "runs the work items of a kernel";
  let description = [{
    Calls the kernel once for every work item, `items` in all, which the workers share. Launches
    between two barriers may run in any order and at the same time. A kernel is a function
    `(item: index, scratch: memref, buffers...)`.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, I64Attr:$items, Variadic<AnyMemRef>:$buffers);
  let assemblyFormat = "$kernel `items` $items `(` $buffers `)` `:` type($buffers) attr-dict";
}

def Cnn_BarrierOp : Cnn_Op<"barrier"> {
  let summary = "waits until all workers have come here";
  let assemblyFormat = "attr-dict";
}

#endif // CNNC_DIALECT_CNN_STRUCTURE_OPS_TD
