// A network with an operation without gradient between a parameter and the loss.
cnn.param @scale1.factor : tensor<1xf32> parameter <"constant">
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
func.func @net(%x: tensor<4x3x2xf32> {cnn.name = "x"}) -> (tensor<4x3xf32> {cnn.name = "y"}) {
  %w = cnn.read @scale1.factor : tensor<1xf32>
  %0 = cnn.mul %x, %w : tensor<4x3x2xf32>, tensor<1xf32> -> tensor<4x3x2xf32>
  %1 = cnn.reduce_max %0 dims [2] : tensor<4x3x2xf32> -> tensor<4x3xf32> loc("largest1"("net.cnn":7:3))
  return %1 : tensor<4x3xf32>
}
