//===- CnnTileOps.td - Register tiles in buffers ------------------------------------------------===//
//
// The operations of phase `tiled`. A tile is a vector of any rank whose last dimension is the lanes of
// one machine vector; arithmetic on tiles is plain `arith` and `math`. Phase `vector` takes tiles apart
// into machine vectors, of which it loads each distinct one once.
//
//===--------------------------------------------------------------------------------------------===//

#ifndef CNNC_DIALECT_CNN_TILE_OPS_TD
#define CNNC_DIALECT_CNN_TILE_OPS_TD

include "dialect/CnnDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Cnn_TileLoadOp : Cnn_Op<"tile_load", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loads a register tile";
  let description = [{
    `result[t...] = buffer[indices + map(t...)]`. `map` is linear; a dimension of the tile that it does not use is
    broadcast. Where the index into a dimension listed in `guard` falls outside of the buffer, the result
    is `padding`. `zeros` is empty or tells, per dimension of the buffer, how many indices at either end hold
    stored zeros: what is known to fall there need not be loaded, nor multiplied. `prefetch`, where not 0, is how
    many elements behind those that are loaded the processor should begin to fetch.

    ```mlir
    %w = cnn.tile_load %weight[%k, %c, %r, %s] map affine_map<(d0, d1, d2) -> (d0, 0, 0, 0)>
         : memref<6x1x5x5xf32> -> vector<6x2x16xf32>
    ```

    Constraints:
    - C1: `map` has one dimension per dimension of the tile and one result per dimension of the buffer;
      so many indices are given.
    - C2: element types agree.
    - C3: `zeros` has as many entries as the buffer has dimensions, or none.
  }];
  let arguments = (ins AnyMemRef:$buffer, Variadic<Index>:$indices,
                       AffineMapAttr:$map, DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$guard,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$zeros,
                       DefaultValuedAttr<F64Attr, "0.0">:$padding,
                       DefaultValuedAttr<I64Attr, "0">:$prefetch);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = [{
    $buffer `[` $indices `]` `map` $map attr-dict `:` type($buffer) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Cnn_TileStoreOp : Cnn_Op<"tile_store", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "stores a register tile";
  let description = [{
    `buffer[indices + map(t...)] = value[t...]`, or with `accumulate` `+=`, in the row-major order of `t`. Elements
    whose index into a dimension listed in `guard` falls outside of the buffer are dropped. `nontemporal`: whole
    lines go past the caches, where vectors are lines and lie so.

    Constraints: C1 and C2 of `cnn.tile_load`.
  }];
  let arguments = (ins AnyVectorOfAnyRank:$value, AnyMemRef:$buffer,
                       Variadic<Index>:$indices, AffineMapAttr:$map,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$guard,
                       DefaultValuedAttr<BoolAttr, "false">:$accumulate, UnitAttr:$nontemporal);
  let assemblyFormat = [{
    $value `,` $buffer `[` $indices `]` `map` $map attr-dict `:` type($value) `->` type($buffer)
  }];
  let hasVerifier = 1;
}

def Cnn_TileIndexOp : Cnn_Op<"tile_index", [Pure]> {
  let summary = "the index of each element of a tile, in one dimension of the nest";
  let description = "`result[t...] = base + map(t...)`, as i32. `map` is linear with one result.";
  let arguments = (ins Index:$base, AffineMapAttr:$map);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$base `map` $map attr-dict `:` type($result)";
}

def Cnn_TilePickOp : Cnn_Op<"tile_pick", [Pure]> {
  let summary = "every so-many-th element of a tile";
  let description = [{
    `result[t...] = input[offsets + t * strides]`. The lanes are never picked from: the last offset is 0 and the
    last stride 1. Pooling in registers combines the picks of a window.
  }];
  let arguments = (ins AnyVectorOfAnyRank:$input, DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$strides);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$input `offsets` $offsets `strides` $strides attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_TileJoinOp : Cnn_Op<"tile_join", [Pure]> {
  let summary = "puts tiles side by side";
  let description = [{
    The parts, all of one type, follow each other along dimension `dim` of the result. The lanes are never
    joined. The inverse of the picks of the parts.

    Constraints:
    - C1: there is a part, all parts have one type, and the result has its shape but along `dim`, which is not
      the last dimension, where it has the sum of the parts' extents.
  }];
  let arguments = (ins Variadic<AnyVectorOfAnyRank>:$parts, I64Attr:$dim);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$parts attr-dict `:` type($parts) `->` type($result)";
  let hasVerifier = 1;
}

def Cnn_TileReduceOp : Cnn_Op<"tile_reduce", [Pure]> {
  let summary = "combines the lanes of a tile";
  let description = [{
    The last dimension of the result has extent 1 and holds the sum (`add`) or the largest (`max`) of the
    lanes, combined as a balanced tree.
  }];
  let arguments = (ins AnyVectorOfAnyRank:$input, StrAttr:$kind);
  let results = (outs AnyVectorOfAnyRank:$result);
  let assemblyFormat = "$kind $input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // CNNC_DIALECT_CNN_TILE_OPS_TD
