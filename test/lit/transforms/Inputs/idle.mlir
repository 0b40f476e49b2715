// A network with a parameter that its loss does not depend on, and a running statistic.
module @net attributes {cnn.phase = "cnn"} {
cnn.param @linear1.weight : tensor<5x3xf32> parameter <"constant">
cnn.param @idle.weight : tensor<1xf32> parameter <"constant">
cnn.param @norm.mean : tensor<7xf32> running <"constant">
cnn.recipe @r net @net loss "cross_entropy" optimizer "sgd"
func.func @net(%x: tensor<4x3xf32> {cnn.name = "x"}) -> (tensor<4x5xf32> {cnn.name = "y"}) {
  %w = cnn.read @linear1.weight : tensor<5x3xf32>
  %l = cnn.linear %x, %w : tensor<4x3xf32>, tensor<5x3xf32> -> tensor<4x5xf32>
  return %l : tensor<4x5xf32>
}
}
