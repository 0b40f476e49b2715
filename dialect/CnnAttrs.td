//===- CnnAttrs.td - Attributes: layout, initialisation, schedules ------------------------------===//

#ifndef CNNC_DIALECT_CNN_ATTRS_TD
#define CNNC_DIALECT_CNN_ATTRS_TD

include "dialect/CnnDialect.td"
include "dialect/CnnInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/TensorEncoding.td"

class Cnn_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Cnn_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Cnn_LayoutAttr : Cnn_Attr<"Layout", "layout", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding, ["verifyEncoding"]>]> {
  let summary = "How a logical tensor lies in memory";
  let description = [{
    `order` lists the logical dimensions from the outermost to the innermost physical one. A
    dimension that stands twice is split: its first entry counts blocks, its second (which must be
    the last of the list) counts the `block` elements inside one. `halo` gives, per logical
    dimension, the number of zeros stored before and after it (empty: none). `pad` gives, per logical
    dimension, the number of elements (of the split one: blocks) that lie unused behind it, so that
    what is read or written together does not fall on the same few sets of a cache (empty: none).

    | layout of a logical NCHW tensor | attribute |
    | --- | --- |
    | plain | `#cnn.layout<order = [0, 1, 2, 3], block = 1>` |
    | batch innermost, 16 images to a block | `#cnn.layout<order = [0, 1, 2, 3, 0], block = 16>` |
    | blocked channels | `#cnn.layout<order = [0, 1, 2, 3, 1], block = 16>` |
    | rows of 512 that lie 528 apart | `#cnn.layout<order = [0, 1], block = 1, pad = [0, 16]>` |

    Constraints:
    - C1: every dimension stands once, except at most one that stands twice.
    - C2: a dimension that stands twice stands last, and then `block` > 1; else `block` = 1.
    - C3: `halo` is empty or has one non-negative entry per dimension; the split one has none.
    - C4: `pad` is empty or has one non-negative entry per dimension.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$order, "int64_t":$block,
                        OptionalArrayRefParameter<"int64_t">:$halo,
                        OptionalArrayRefParameter<"int64_t">:$pad);
  let builders = [AttrBuilder<(ins "ArrayRef<int64_t>":$order, "int64_t":$block,
                                   CArg<"ArrayRef<int64_t>", "{}">:$halo), [{
    return $_get($_ctxt, order, block, halo, ArrayRef<int64_t>());
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The logical dimension that is split into blocks, or -1.
    int64_t getBlockedDim() const;
    /// Number of logical dimensions.
    int64_t getRank() const;
    /// Zeros stored on each side of logical dimension `dim`.
    int64_t getHaloOf(int64_t dim) const;
    /// Elements (of the split dimension: blocks) that lie unused behind logical dimension `dim`.
    int64_t getPadOf(int64_t dim) const;
    /// The same layout with `count` unused elements behind logical dimension `dim`.
    LayoutAttr withPad(int64_t dim, int64_t count) const;
    /// The shape in memory of a tensor of the given logical shape; the blocked dimension is rounded
    /// up to whole blocks.
    SmallVector<int64_t> getPhysicalShape(ArrayRef<int64_t> logical) const;
    /// The plain layout (row major, no blocks) of the given rank.
    static LayoutAttr getPlain(MLIRContext *context, int64_t rank);
    /// Blocks of `block` elements of dimension 0 innermost.
    static LayoutAttr getBatchInnermost(MLIRContext *context, int64_t rank, int64_t block);
    bool isPlain() const;
  }];
}

def Cnn_InitAttr : Cnn_Attr<"Init", "init"> {
  let summary = "How a parameter is initialised";
  let description = [{
    `kind` is one of `xavier_uniform`, `xavier_normal` (Glorot and Bengio 2010), `kaiming_uniform`,
    `kaiming_normal` (He et al. 2015, gain of ReLU), `pytorch_default` (uniform in
    +-1/sqrt(fan_in)), `constant`, `uniform` (from `value` to `second`), `normal` (of mean `value` and standard
    deviation `second`). Fans are as PyTorch counts them. Parts that are 0 or absent are not printed:

    ```mlir
    #cnn.init<"xavier_uniform", fan_in = 25, fan_out = 150>
    #cnn.init<"constant", value = 0.0 : f64>
    #cnn.init<"uniform", value = -1.0 : f64, second = 1.0 : f64>
    ```
  }];
  let parameters = (ins StringRefParameter<"">:$kind, DefaultValuedParameter<"int64_t", "0">:$fanIn,
                        DefaultValuedParameter<"int64_t", "0">:$fanOut,
                        OptionalParameter<"FloatAttr">:$value,
                        OptionalParameter<"FloatAttr">:$second);
  let builders = [AttrBuilder<(ins "StringRef":$kind, "int64_t":$fanIn, "int64_t":$fanOut, "FloatAttr":$value), [{
    return $_get($_ctxt, kind, fanIn, fanOut, value, FloatAttr());
  }]>];
  let hasCustomAssemblyFormat = 1;
}

def Cnn_NestScheduleAttr : Cnn_Attr<"NestSchedule", "nest"> {
  let summary = "Loops, register tile and vector dimension of one group";
  let description = [{
    The schedule of the nest of a group's anchor:

    - `algorithm`: which form of the computation (`direct`, `scatter`, ...).
    - `vector`: the dimension of the nest whose consecutive elements lie in one vector.
    - `tile`: per dimension, how many elements one register tile holds (for `vector`: how many
      vectors). A tile of a reduction dimension is its unroll factor.
    - `order`: the loops from the outermost to the innermost.
    - `chunk`: for a group that is a kernel of its own, how many register tiles of the outermost
      loop form one work item; 0 for one item in all.
    - `collapse`: over how many of the outermost loops work items go, as in OpenMP; of the second,
      each takes one register tile. 1 or 2.

    The number of work items follows from the schedule alone, never from the number of threads.
  }];
  let parameters = (ins StringRefParameter<"">:$algorithm, "int64_t":$vector,
                        ArrayRefParameter<"int64_t">:$tile, ArrayRefParameter<"int64_t">:$order,
                        DefaultValuedParameter<"int64_t", "0">:$chunk,
                        DefaultValuedParameter<"int64_t", "1">:$collapse);
  let assemblyFormat = [{
    `<` $algorithm `,` `vector` `=` $vector `,` `tile` `=` custom<Extents>($tile) `,` `order` `=` custom<Extents>($order)
    (`,` `chunk` `=` $chunk^)? (`,` `collapse` `=` $collapse^)? `>`
  }];
}

def Cnn_SliceScheduleAttr : Cnn_Attr<"SliceSchedule", "slices"> {
  let summary = "An outer group: its members run slice by slice of the batch";
  let description = [{
    `block` images form a slice, `count` slices the batch. Everything that only the members of the
    group use lives in the scratch memory of one worker, for one slice. With `tiles`, every slice is cut
    further: dimensions 1 and 2 of the members' nests count so many blocks of its images, and a work
    item is one block of one slice.

    Constraints:
    - C1: `block` and `count` are positive, `tiles` is empty or two positive numbers.
  }];
  let parameters = (ins "int64_t":$block, "int64_t":$count, OptionalArrayRefParameter<"int64_t">:$tiles);
  let assemblyFormat = [{
    `<` `block` `=` $block `,` `count` `=` $count (`,` `tiles` `=` `[` $tiles^ `]`)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Work items: slices, or blocks of slices.
    int64_t getNumItems() const;
  }];
}

def Cnn_GpuScheduleAttr : Cnn_Attr<"GpuSchedule", "gpu_schedule"> {
  let summary = "How the threads of a GPU compute one group";
  let description = [{
    - `algorithm`: `point` (a thread computes one element of the result), `reduce` (the threads of a block share
      the sum of one element), or `contraction` (the threads of a block compute a tile of a product).
    - `block`: the threads of one block. How many blocks there are follows from the group and `tile`.
    - `tile`: of a contraction, the extents of a block's tile: rows, columns, depth, and the rows and columns of
      one thread, or, with the instructions of tensor cores, of one warp.
    - `instruction`: what a contraction multiplies with: `fma`, or with operands rounded to `tf32` or `bf16` the
      `mma.sync` of tensor cores, which adds in f32.
    - `stages`: how many tiles of a contraction lie in shared memory at a time. With more than one, those to come are
      brought while one is multiplied.
    - `vector`: neighbouring elements that a thread of another algorithm has.

    Keys that are `fma` or 1 are not printed:

    ```mlir
    #cnn.gpu_schedule<"reduce", block = 256>
    #cnn.gpu_schedule<"point", block = 256, vector = 4>
    #cnn.gpu_schedule<"contraction", block = 256, tile = [64, 64, 16, 4, 4]>
    #cnn.gpu_schedule<"contraction", block = 256, tile = [128, 128, 16, 64, 32], instruction = "tf32", stages = 3>
    ```
  }];
  let parameters = (ins StringRefParameter<"">:$algorithm, "int64_t":$block,
                        ArrayRefParameter<"int64_t">:$tile, StringRefParameter<"">:$instruction,
                        "int64_t":$stages, "int64_t":$vector);
  let assemblyFormat = [{
    `<` $algorithm `,` `block` `=` $block `` custom<GpuKeys>($tile, $instruction, $stages, $vector) `>`
  }];
}

#endif // CNNC_DIALECT_CNN_ATTRS_TD
