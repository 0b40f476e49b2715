// One function of math over 1024 numbers, for math.c. sed fills in FUNCTION, LANES, ELEMENT and CPU,
// and for OPERATION what gives %b of %a.
module @net attributes {cnn.cpu = "CPU"} {
  func.func private @apply(%item: index, %scratch: memref<64xi8>, %x: memref<1024xELEMENT>, %y: memref<1024xELEMENT>) attributes {cnn.kernel} {
    %c0 = arith.constant 0 : index
    %c1024 = arith.constant 1024 : index
    %step = arith.constant LANES : index
    scf.for %i = %c0 to %c1024 step %step {
      %a = cnn.tile_load %x[%i] map affine_map<(n) -> (n)> : memref<1024xELEMENT> -> vector<LANESxELEMENT>
      OPERATION
      cnn.tile_store %b, %y[%i] map affine_map<(n) -> (n)> : vector<LANESxELEMENT> -> memref<1024xELEMENT>
    }
    return
  }
  func.func @FUNCTION(%x: memref<1024xELEMENT>, %y: memref<1024xELEMENT>, %scratch: memref<64xi8> {cnn.role = "scratch"}) {
    cnn.launch @apply items 1 (%x, %y) : memref<1024xELEMENT>, memref<1024xELEMENT>
    return
  }
}
