//===- Passes.td - From fused groups to schedules and a memory plan -------------------------------===//

#ifndef CNNC_COMPILER_SCHEDULE_PASSES_TD
#define CNNC_COMPILER_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseLayoutsPass : Pass<"cnn-choose-layouts", "::mlir::ModuleOp"> {
  let summary = "Give every tensor between groups a layout";
  let description = [{
    A batch that fills whole vectors is laid out with the images of one vector innermost, so that every
    operation on images is one on vectors, whatever its window. In an entry point for another batch
    images have their channels in blocks of one vector, where these fill at least half of it
    and every group that touches them can follow; in one that changes no state, the weights there have the
    dimension in blocks that the vectors run along, and are converted by `cnn-prepare`. All else is plain. Reductions over the
    batch are split into one per slice and one over the slices, so that what comes before the batch
    meets can run slice by slice. Tensors read with padding get stored zeros around them.

    Before: the input of `test/lit/schedule/cnn-choose-layouts.mlir`; after: the same with encodings `#cnn.layout`. Sets
    `cnn.machine` from `cpu`, and `cnn.layout_reason` on every entry point. Does nothing to functions that
    are not entry points.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"", "CPU to compile for">,
    Option<"layout", "layout", "std::string", "\"auto\"",
           "auto, plain, batch (batch innermost where the batch allows it), or channels (channels in blocks)">
  ];
  let statistics = [
    Statistic<"numBatch", "batch-innermost", "Number of tensors laid out with the batch innermost">,
    Statistic<"numChannels", "channel-blocks", "Number of tensors laid out with channels in blocks">,
    Statistic<"numConversions", "conversions", "Number of layout conversions inserted">
  ];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def ChooseAlgorithmsPass : Pass<"cnn-choose-algorithms", "::mlir::ModuleOp"> {
  let summary = "Put the parts of other algorithms in place of convolutions where they are faster";
  let description = [{
    A convolution, or the gradient of its input, whose kernel is 3 x 3, at stride 1 or 2, without
    dilation and in one group, can be computed by Winograd's algorithm: `winograd2`, `winograd3`, `winograd4` or
    `winograd6` (not at stride 2), after the extent of its tiles; a kernel of 5 x 5 at stride 1 by `winograd2` and
    `winograd4`. Its group becomes four: the transforms of the weight and of the windows of the
    input, a product for each point, and the transform back, which keeps name and epilogue. Where what
    lies between them does not fit the cache, the last three become an outer group that runs block by block of tiles.

    A cost model decides; `override` entries (see `cnn-choose-schedules`) with the key algorithm, and
    blocks (rows x columns of tiles to a block), replace its choice. `seed` draws among the algorithms that
    apply. What does not apply is an error that says why.

    Unasked, tiles of 6, and of 4 for 5 x 5, are never chosen: they have the largest error. A `precision`, or the module's
    `cnn.precision`, is the largest relative error that an algorithm may have instead
    (`compiler/schedule/Precision.h`): then those count as well, and others may not. What was
    measured (`compiler/schedule/Tuned.h`) goes before the cost model.

    Before: the input of `test/lit/schedule/cnn-choose-algorithms.mlir`; after: its CHECK lines.
  }];
  let options = [
    ListOption<"overrides", "override", "std::string",
               "algorithms by group name or operation, such as conv=algorithm:winograd4">,
    Option<"seed", "seed", "int64_t", "-1", "random algorithms from this seed; -1 for the best">,
    Option<"precision", "precision", "double", "0",
           "the largest relative error of an algorithm; 0 for what the module says">
  ];
  let statistics = [Statistic<"numWinograd", "winograd", "Number of convolutions replaced">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def ReadThroughPass : Pass<"cnn-read-through", "::mlir::ModuleOp"> {
  let summary = "Have convolutions and others compute what is pointwise as they read it";
  let description = [{
    In a training step the normalisation and the rectifier between two convolutions are a group of their own: the
    next convolution reads its result, and so do the gradient of its weight and the mask of the rectifier's gradient. Where it
    takes less to compute it in each of these, they read what the group reads, its operations become their prologue,
    and the group is gone: nothing is stored, and nothing is kept for the backward pass. Outside of the image a
    convolution still meets zeros.

    A cost model weighs what the group computes, reads and writes against what its readers compute again, as often as
    their tiles read an element, and what they read more. It does so for groups that convolutions read; all readers
    must be able to do without the result. The reason stands with the readers, or with the group where it stays.
    `override` entries (see `cnn-choose-schedules`) with the key load go before the cost model, for any pointwise group:
    `relu1.forward=load:through` or `load:stored`; it is an error where a group is named that cannot be read through.
    `seed` draws instead.

    ```mlir
    // before
    %y = cnn.group "norm.forward" (%x, %mean, %scale) { cnn.sub ... cnn.mul ... cnn.relu ... }
    %v = cnn.group "conv.forward.winograd_input" (%y) { cnn.winograd_input ... }
    // after
    %v = cnn.group "conv.forward.winograd_input" (%x, %mean, %scale) { cnn.sub ... cnn.mul ... cnn.relu ... cnn.winograd_input ... }
    ```

    Test: `test/lit/schedule/cnn-read-through.mlir`.
  }];
  let options = [
    ListOption<"overrides", "override", "std::string",
               "what to store by group name or operation, such as relu1.forward=load:through">,
    Option<"seed", "seed", "int64_t", "-1", "random decisions from this seed; -1 for the best">
  ];
  let statistics = [Statistic<"numRead", "read-through", "Number of groups that their readers compute">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def FitHalosPass : Pass<"cnn-fit-halos", "::mlir::ModuleOp"> {
  let summary = "Put as many zeros around tensors as serve their readers";
  let description = [{
    cnn-choose-layouts puts zeros around what is read with padding. Where only Winograd's algorithms read them,
    which look at the bounds of each tile, they go again: the tensor is smaller, and its memory can be that of
    another one without zeros. Where a convolution reads images whose channels lie whole pages of 4 KB apart, so that those
    of one pixel meet in few sets of the caches, a column of zeros more on each side moves them. Test: `test/lit/schedule/cnn-fit-halos.mlir`.
  }];
  let statistics = [Statistic<"numFitted", "fitted", "Tensors with more or fewer zeros around them">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def PreparePass : Pass<"cnn-prepare", "::mlir::ModuleOp"> {
  let summary = "Compute what depends on the parameters only once, in an entry point `prepare`";
  let description = [{
    Entry points that change no state (`infer`, `eval`) need not scale, merge or transform weights at every
    call. Groups that read nothing but parameters, running statistics and literals move to the entry
    point `prepare`, which writes their results to tensors of the kind `prepared`; the others read these.
    Equal groups of several entry points are computed once. Whoever changes the state calls `prepare` before the
    next call. There is no such entry point where nothing depends on parameters only.

    ```mlir
    // before
    func.func @infer(%x: ...) {
      %w = cnn.read @conv1.weight : ...
      %t = cnn.group "conv1.forward.winograd_weight" (%w) ...
      %y = cnn.group "conv1.forward" (%x, %t) ...
    // after
    cnn.param @conv1.forward.winograd_weight.prepared : ... prepared <"constant", value = 0.0 : f64>
    func.func @infer(%x: ...) {
      %t = cnn.read @conv1.forward.winograd_weight.prepared : ...
      %y = cnn.group "conv1.forward" (%x, %t) ...
    func.func @prepare() {
      %w = cnn.read @conv1.weight : ...
      %t = cnn.group "conv1.forward.winograd_weight" (%w) ...
      cnn.write @conv1.forward.winograd_weight.prepared, %t : ...
    ```

    Fails where a function or a parameter has such a name already. Test: `test/lit/schedule/cnn-prepare.mlir`.
  }];
  let statistics = [Statistic<"numPrepared", "prepared", "Number of tensors that are prepared">];
  let dependentDialects = ["::mlir::cnn::CnnDialect", "::mlir::func::FuncDialect"];
}

def SliceBatchPass : Pass<"cnn-slice-batch", "::mlir::ModuleOp"> {
  let summary = "Gather groups that can run slice by slice of the batch into outer groups";
  let description = [{
    Groups whose results for some images need only those images become members of one outer group,
    which runs all of them for one slice before the next: what passes between them stays in the cache.
    With fewer than `fewest` slices cores would have nothing to do, since slices are the work items
    of an outer group; every kernel has work items of its own then.

    Where the batch is not in blocks, a group and the only reader of its result run image by image if that
    takes more than half of the third cache, the images that the cores are at do not, and there are two or more for
    each core: the first convolution of a ResNet and the pooling behind it.
  }];
  let options = [Option<"fewest", "fewest", "int64_t", "fewestSlices", "Slices that are worth an outer group">];
  let statistics = [Statistic<"numMembers", "members", "Number of groups gathered">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def ChooseSchedulesPass : Pass<"cnn-choose-schedules", "::mlir::ModuleOp"> {
  let summary = "Choose algorithm, vector dimension, register tile and loop order of every group";
  let description = [{
    A cost model counts vector instructions and loads per register tile and takes the cheapest legal
    schedule; its reason is recorded with the group. `override` entries replace parts of it for a group
    (`conv1.forward`) or all groups of an operation (`conv`): `name=key:value;key:value`, with the keys
    algorithm, vector, chunk, collapse, and tile and order, whose numbers are joined by `x`; or `name=algorithm`. What `blocks`,
    `windows` and `load` ask for is for other passes. `compiler/schedule/Overrides.h` says which of several count.
    `seed` draws random legal schedules instead.
  }];
  let options = [
    ListOption<"overrides", "override", "std::string",
               "schedules by group name or operation, such as conv1.forward=tile:1x6x2x2x1x1x1">,
    Option<"seed", "seed", "int64_t", "-1", "random legal schedules from this seed; -1 for the best">
  ];
  let statistics = [Statistic<"numGroups", "groups", "Number of groups scheduled">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def FuseMomentsPass : Pass<"cnn-fuse-moments", "::mlir::ModuleOp"> {
  let summary = "Take a batch norm's statistics of windows, where its input is made";
  let description = [{
    The statistics of a batch normalisation are sums over all of its input (`cnn.channel_sums`). Where that is too
    large to stay in the caches, the group that makes it stores, for each window of 8 to 16 elements that
    lies in one of its register tiles, the mean and the sum of squared distances from that mean, and
    `cnn.combine_moments` takes the place of the sums: a quarter or less is written and read instead of reading all. No large
    numbers are subtracted, whatever the means are.

    The schedule of the group that makes the input stays as it is: where no windows lie in its tile, where vectors run
    along rows or columns, or where a cost model expects nothing of it, the input is read again; the reason stands with
    the sums. On a GPU, tiles of products (`contraction`) have windows; their pixels are numbered window by window then. `override` entries (see `cnn-choose-schedules`) with the key windows, such as `windows:4x4`, go before
    the cost model, for the group that makes the input or for the sums (`channel_sums`); 1x1 is none.

    ```mlir
    // before
    %x = cnn.group "conv.forward" ...
    %s:2 = cnn.group "norm.statistics" (%x, %center) { cnn.channel_sums ... }
    // after
    %x, %means, %squares = cnn.group "conv.forward" ...
    %s:2 = cnn.group "norm.statistics" (%center, %means, %squares) { cnn.combine_moments ... }
    ```

    Test: `test/lit/schedule/cnn-fuse-moments.mlir`, of a GPU `test/lit/nvptx/moments.mlir`.
  }];
  let options = [
    ListOption<"overrides", "override", "std::string",
               "windows by group name or operation, such as conv1.forward=windows:4x4">
  ];
  let statistics = [Statistic<"numFused", "fused", "Number of sums that are made of windows">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def ChooseGpuSchedulesPass : Pass<"cnn-choose-gpu-schedules", "::mlir::ModuleOp"> {
  let summary = "Choose how the threads of a GPU compute every group";
  let description = [{
    Every group gets a `#cnn.gpu_schedule` and the reason for it: a thread for each result, or for several
    neighbours; where many points are summed that lie side by side, or there are few results, a warp or a block of
    threads for each; and for products of two tensors (convolutions, their gradients, linear layers) that fill tiles,
    a block of threads for each tile. Gradients of convolutions' inputs take the form that gathers where the stride
    allows it. `override` entries are those of `cnn-choose-schedules` with the keys algorithm (`point`, `reduce`,
    `contraction`), block (threads of a block), vector (neighbours of a thread), tile (of a contraction; of a
    reduction the threads that share one element), and of a contraction instruction
    (`fma`, `tf32`, `bf16`) and stages. Unasked, a contraction takes the fastest instruction whose relative error
    is at most `precision`, or the module's `cnn.precision`; without either, `fma`.

    Images between groups lie channels-last, [N, H, W, C], and with them the weights that they are multiplied by,
    where products then save more accesses than conversions take (`layout`: auto, plain, or channels wherever it is
    possible); `cnn.layout_reason` of the entry point says why. All else lies in row-major order.

    A pointwise group that products read is computed by each of its readers, and gone, where they take less for that than
    it does, or where `load:through` asks for it (`load:stored` for the contrary), as by `cnn-read-through`.
    Tests: `test/lit/nvptx/cnn-choose-gpu-schedules.mlir`, `layouts.mlir`, `gpu-prologues.mlir`, `gpu-prologues.test`.
  }];
  let options = [
    Option<"layout", "layout", "std::string", "\"auto\"",
           "auto, plain, or channels: images channels-last wherever that is possible">,
    ListOption<"overrides", "override", "std::string",
               "schedules by group name or operation, such as conv1.forward=algorithm:point;block:128">,
    Option<"precision", "precision", "double", "0",
           "largest relative error of instructions, RMS; 0 for the module's">
  ];
  let statistics = [Statistic<"numGroups", "groups", "Number of groups scheduled">];
  let dependentDialects = ["::mlir::cnn::CnnDialect"];
}

def PlanPass : Pass<"cnn-plan", "::mlir::ModuleOp"> {
  let summary = "Outline groups into kernels on buffers and plan the memory";
  let description = [{
    Every group becomes a kernel, every entry point a list of launches and barriers over views of the
    state, what is prepared, one arena, and the scratch memory of a worker. Buffers whose lifetimes do not meet share
    memory. `cnn.plan` on every entry point lists the buffers with offset, size and lifetime.

    With `timed`, kernels say what they are and the module where counters of their time lie, as
    `dialect/Timing.h` has it.
  }];
  let options = [
    Option<"timed", "timed", "bool", "false", "whether kernels count the time spent in them">,
    Option<"together", "together", "bool", "true",
           "whether one launch of a GPU computes several groups where that saves time">
  ];
  let statistics = [Statistic<"numKernels", "kernels", "Number of kernels">];
  let dependentDialects = ["::mlir::cnn::CnnDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

#endif // CNNC_COMPILER_SCHEDULE_PASSES_TD
