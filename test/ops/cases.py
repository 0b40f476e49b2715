"""The one table of operation cases. A row drives the tests of this folder: values and gradients
against PyTorch, gradients against finite differences, shapes, and all of it for other processors,
layouts, schedules and numbers of threads. A new layer needs a row here; errors stand below.

    Case(name, call, torch, x, other, params, kinks, prepare, gradient, words)

name      begins with the name in the language of the layer, function or loss that the row tests;
          coverage.py says which have no row, no error in errors.json, or an argument without a row
call      in the language, of `x` (and `other`); or an operation in MLIR where no net can say it
torch     the same in PyTorch; `weight`, `bias` are `params`, `x` and `other` have the batch first
x, other  shapes, with the batch
params    the layer's parameters and their shapes
kinks     whether the derivative jumps: finite differences then use points between the jumps
prepare   statement in PyTorch that changes the random operands, for special values
gradient  whether there is one (not where the result is integers)
words     operands of an operation in MLIR that are single integers, and their values
"""
from collections import namedtuple

Case = namedtuple("Case", "name call torch x other params kinks prepare gradient words")


def case(name, call, torch, x, other=None, kinks=False, prepare="", gradient=True, words=None,
         **params):
    if words is None and "%rows" in call:
        words = {"rows": x[0]}
    return Case(name, call, torch, x, other, params, kinks, prepare, gradient, words or {})


def conv(name, x, channels, kernel, arguments="", torch="", bias=True, groups=1):
    params = {"weight": (channels, x[1] // groups, *kernel)}
    if bias:
        params["bias"] = (channels,)
    call = f"x -> conv({channels}, kernel = {kernel}{arguments}{'' if bias else ', bias = false'}"
    call += f", groups = {groups})" if groups > 1 else ")"
    bias = "bias" if bias else "None"
    return case(name, call, f"F.conv2d(x, weight, {bias}, groups={groups}{torch})", x, **params)


def linear(name, x, features, bias=True):
    params = {"weight": (features, x[1])} | ({"bias": (features,)} if bias else {})
    arguments = f"{features}" + ("" if bias else ", bias = false")
    return case(name, f"x -> linear({arguments})",
                f"F.linear(x, weight{', bias' if bias else ''})", x, **params)


def pool(kind, name, x, kernel, arguments="", torch="", **more):
    return case(f"{kind}_pool{name}", f"x -> {kind}_pool({kernel}{arguments})",
                f"F.{kind}_pool2d(x, {kernel}{torch})", x, kinks=kind == "max", **more)


IMAGE = (2, 3, 3, 5)
SPECIAL = "x.view(-1)[:8] = torch.tensor([0.0, -0.0, 1e-6, 20.0, -20.0, 90.0, -90.0, 5e-39])"
SOME = "x.view(-1)[:6] = torch.tensor([0.0, -0.0, 1e-6, 20.0, -20.0, 3.5])"

CASES = [
    conv("conv_plain", (2, 3, 7, 5), 4, (3, 3)),
    conv("conv_same", (2, 1, 9, 8), 6, (5, 5), ", padding = 2", ", padding=2"),
    conv("conv_strided", (3, 2, 9, 7), 5, (3, 3), ", stride = 2, padding = 1",
         ", stride=2, padding=1"),
    conv("conv_rectangular", (2, 3, 8, 8), 2, (3, 5), ", stride = (3, 4), padding = (0, 1)",
         ", stride=(3, 4), padding=(0, 1)"),
    conv("conv_dilated", (2, 3, 9, 7), 4, (3, 3), ", padding = 2, dilation = 2",
         ", padding=2, dilation=2"),
    conv("conv_dilated_strided", (1, 2, 11, 9), 3, (2, 3),
         ", stride = (2, 1), padding = (1, 2), dilation = (3, 2)",
         ", stride=(2, 1), padding=(1, 2), dilation=(3, 2)"),
    case("conv_each_side", "x -> conv(3, kernel = 3, padding = (0, 2, 1, 0))",
         "F.conv2d(F.pad(x, (1, 0, 0, 2)), weight, bias)", (2, 2, 5, 6), weight=(3, 2, 3, 3),
         bias=(3,)),
    conv("conv_1x1", (2, 5, 4, 3), 7, (1, 1)),
    conv("conv_1x1_strided", (2, 3, 5, 7), 2, (1, 1), ", stride = (2, 3)", ", stride=(2, 3)"),
    conv("conv_whole_image", (3, 2, 5, 3), 17, (5, 3)),
    conv("conv_no_bias", (2, 3, 6, 6), 3, (2, 2), bias=False),
    conv("conv_wide_channels", (1, 17, 4, 5), 18, (2, 2), ", padding = 1", ", padding=1"),
    conv("conv_no_pixel_left_over", (2, 2, 10, 10), 3, (3, 3), ", stride = 4", ", stride=4"),
    conv("conv_groups", (2, 6, 6, 5), 4, (3, 3), ", padding = 1", ", padding=1", groups=2),
    conv("conv_groups_strided", (1, 6, 7, 7), 9, (3, 2), ", stride = 2, padding = (1, 0)",
         ", stride=2, padding=(1, 0)", groups=3),
    conv("conv_groups_dilated", (2, 4, 8, 7), 6, (2, 3), ", dilation = 2", ", dilation=2",
         bias=False, groups=2),
    conv("conv_depthwise", (2, 5, 6, 7), 5, (3, 3), ", padding = 1", ", padding=1", groups=5),
    conv("conv_depthwise_dilated", (2, 4, 9, 8), 4, (3, 3),
         ", stride = 2, padding = 2, dilation = 2", ", stride=2, padding=2, dilation=2",
         bias=False, groups=4),
    case("conv_each_side_strided",
         "x -> conv(3, kernel = (2, 3), stride = (1, 2), padding = (2, 0, 0, 1), bias = false)",
         "F.conv2d(F.pad(x, (0, 1, 2, 0)), weight, stride=(1, 2))", (2, 2, 5, 6),
         weight=(3, 2, 2, 3)),
    conv("conv_strided_many_channels", (2, 32, 5, 6), 6, (3, 3), ", stride = 2, padding = 1",
         ", stride=2, padding=1", bias=False),
    conv("conv_depthwise_twofold", (2, 3, 6, 6), 6, (3, 3), ", stride = 2", ", stride=2", groups=3),
    conv("conv_same_word", (2, 2, 5, 6), 3, (3, 4), ', padding = "same", dilation = (2, 1)',
         ", padding='same', dilation=(2, 1)"),
    conv("conv_valid_word", (1, 2, 5, 6), 3, (3, 4), ', padding = "valid", stride = 2',
         ", padding='valid', stride=2"),
    case("conv_reflect", 'x -> conv(3, kernel = 3, padding = (1, 2), stride = 2, padding_mode = "reflect")',
         "F.conv2d(F.pad(x, (2, 2, 1, 1), mode='reflect'), weight, bias, stride=2)", (2, 2, 5, 4),
         weight=(3, 2, 3, 3), bias=(3,)),
    case("conv_replicate",
         'x -> conv(4, kernel = (2, 3), padding = "same", groups = 2, bias = false, '
         'padding_mode = "replicate")',
         "F.conv2d(F.pad(x, (1, 1, 0, 1), mode='replicate'), weight, groups=2)", (2, 4, 3, 5),
         weight=(4, 2, 2, 3)),
    case("conv_circular", 'x -> conv(2, kernel = 3, padding = (3, 0, 1, 4), padding_mode = "circular")',
         "F.conv2d(F.pad(x, (1, 4, 3, 0), mode='circular'), weight, bias)", (2, 1, 3, 5),
         weight=(2, 1, 3, 3), bias=(2,)),
    # What Winograd's algorithm computes: images and channels that nothing divides, images smaller than a
    # tile, rows of tiles. With module.py --rows, batches that fill vectors.
    conv("conv_3x3_three_images", (3, 5, 7, 9), 6, (3, 3)),
    conv("conv_3x3_small_image", (2, 3, 3, 2), 2, (3, 3), ", padding = (2, 1)", ", padding=(2, 1)"),
    conv("conv_3x3_wide_image", (1, 2, 5, 45), 3, (3, 3), ", padding = 1", ", padding=1", bias=False),
    conv("conv_3x3_many_tiles", (1, 2, 18, 13), 3, (3, 3), ", padding = (1, 0)", ", padding=(1, 0)"),
    conv("conv_3x3_many_channels", (2, 17, 4, 4), 10, (3, 3), ", padding = 1", ", padding=1"),
    conv("conv_5x5_three_images", (3, 4, 8, 7), 6, (5, 5)),
    conv("conv_5x5_small_image", (2, 3, 3, 2), 2, (5, 5), ", padding = (2, 3)", ", padding=(2, 3)"),
    conv("conv_5x5_many_tiles", (1, 2, 11, 12), 3, (5, 5), ", padding = (4, 1)", ", padding=(4, 1)", bias=False),
    conv("conv_5x5_many_channels", (2, 17, 5, 4), 3, (5, 5), ", padding = 2", ", padding=2"),
    linear("linear", (3, 7), 5),
    linear("linear_no_bias", (2, 33), 17, bias=False),
    linear("linear_one_by_one", (1, 1), 1),
    linear("linear_long", (5, 131), 3),
    case("matmul", "matmul(x, other)", "x @ other", (2, 3, 5), (2, 5, 4)),
    case("matmul_of_products", "matmul(matmul(x, other), x)", "x @ other @ x", (2, 3, 4), (2, 4, 3)),
    case("matmul_stack", "matmul(x, other)", "x @ other", (2, 2, 3, 5), (2, 2, 5, 4)),

    case("sigmoid", "sigmoid(x)", "torch.sigmoid(x)", IMAGE, prepare=SPECIAL),
    case("tanh", "tanh(x)", "torch.tanh(x)", IMAGE, prepare=SPECIAL),
    case("relu", "relu(x)", "torch.relu(x)", IMAGE, kinks=True, prepare="x.view(-1)[::7] = 0.0"),
    case("exp", "exp(x)", "x.exp()", IMAGE),
    case("log", "log(x)", "x.log()", IMAGE, prepare="x.abs_().add_(0.25)"),
    case("neg", "neg(x)", "-x", IMAGE),
    case("leaky_relu", "leaky_relu(x)", "F.leaky_relu(x)", IMAGE, kinks=True,
         prepare="x.view(-1)[::7] = 0.0"),
    case("leaky_relu_slope", "x -> leaky_relu(slope = 0.3)", "F.leaky_relu(x, 0.3)", IMAGE,
         kinks=True),
    case("leaky_relu_falling", "leaky_relu(x, slope = -0.5)", "F.leaky_relu(x, -0.5)", IMAGE,
         kinks=True),
    case("elu", "elu(x)", "F.elu(x)", IMAGE, prepare=SPECIAL, kinks=True),
    case("elu_alpha", "elu(x, alpha = 0.7)", "F.elu(x, 0.7)", IMAGE, kinks=True),
    case("relu6", "relu6(x)", "F.relu6(x)", IMAGE, kinks=True,
         prepare="x.mul_(4); x.view(-1)[:2] = torch.tensor([0.0, 6.0])"),
    case("silu", "silu(x)", "F.silu(x)", IMAGE, prepare=SPECIAL),
    case("hardswish", "hardswish(x)", "F.hardswish(x)", IMAGE, kinks=True, prepare="x.mul_(3)"),
    case("gelu", "gelu(x)", "F.gelu(x)", IMAGE, prepare=SOME),
    case("gelu_tanh", 'gelu(x, approximate = "tanh")', "F.gelu(x, approximate='tanh')", IMAGE,
         prepare=SOME),
    case("abs", "abs(x)", "x.abs()", IMAGE, kinks=True, prepare="x.view(-1)[::7] = 0.0"),
    case("sqrt", "sqrt(x)", "x.sqrt()", IMAGE, prepare="x.abs_().add_(0.25)"),
    case("sin", "sin(x)", "x.sin()", IMAGE, prepare="x.mul_(20); x.view(-1)[:3] = torch.tensor([0.0, -0.0, 1e-6])"),
    case("cos", "cos(x)", "x.cos()", IMAGE, prepare="x.mul_(20); x.view(-1)[:3] = torch.tensor([0.0, -0.0, 1e-6])"),
    case("pow_square", "pow(x, exponent = 2)", "x ** 2", IMAGE),
    case("pow_five", "x -> pow(5)", "x ** 5", IMAGE),
    case("pow_inverse", "x -> pow(-3)", "x ** -3", IMAGE, prepare="x.abs_().add_(0.5)"),
    case("pow_root", "x -> pow(0.5)", "x ** 0.5", IMAGE, prepare="x.abs_().add_(0.25)"),
    case("pow_real", "x -> pow(1.7)", "x ** 1.7", IMAGE, prepare="x.abs_().add_(0.25)"),
    case("pow_one", "x -> pow(1)", "x ** 1", IMAGE),
    case("softmax", "softmax(x)", "F.softmax(x, -1)", (3, 7)),
    case("softmax_large", "softmax(x)", "F.softmax(x, -1)", (4, 10),
         prepare="x.mul_(torch.tensor([1000.0, 1.0, 80.0, 1e-3])[:, None]); x.copy_(x.float())"),
    case("softmax_channels", "x -> softmax(axis = 0)", "F.softmax(x, 1)", (2, 5, 3, 4)),
    case("softmax_middle", "softmax(x, axis = -2)", "F.softmax(x, -2)", (2, 3, 6, 4)),
    case("softmax_one", "softmax(x)", "F.softmax(x, -1)", (3, 1)),
    case("log_softmax", "log_softmax(x)", "F.log_softmax(x, -1)", (3, 7)),
    case("log_softmax_large", "log_softmax(x)", "F.log_softmax(x, -1)", (4, 10),
         prepare="x.mul_(torch.tensor([1000.0, 1.0, 80.0, 1e-3])[:, None]); x.copy_(x.float())"),
    case("log_softmax_channels", "log_softmax(x, axis = 0)", "F.log_softmax(x, 1)", (2, 5, 3, 4)),

    case("flatten", "flatten(x)", "x.flatten(1)", (2, 3, 4, 5)),
    case("reshape", "x -> reshape([6, -1])", "x.reshape(2, 6, 10)", (2, 3, 4, 5)),
    case("reshape_image", "reshape(x, shape = (5, 3, 4))", "x.reshape(2, 5, 3, 4)", (2, 60)),
    case("transpose", "transpose(x)", "x.transpose(-2, -1)", (2, 3, 4, 5)),
    case("transpose_axes", "transpose(x, axis1 = 0, axis2 = 2)", "x.transpose(1, 3)", (2, 3, 4, 5)),
    case("permute", "permute(x, axes = [2, 0, 1])", "x.permute(0, 3, 1, 2)", (2, 3, 4, 5)),
    case("permute_used", "relu(x) -> permute([1, 2, 0]) -> sigmoid",
         "torch.sigmoid(torch.relu(x).permute(0, 2, 3, 1))", (2, 3, 4, 5), kinks=True),
    case("pad", "pad(x, padding = 2)", "F.pad(x, (2, 2, 2, 2))", (2, 3, 4, 5)),
    case("pad_each_side", "x -> pad((0, 1, 3, 2), value = 1.5)",
         "F.pad(x, (3, 2, 0, 1), value=1.5)", (2, 3, 4, 5)),
    case("pad_cut", "x -> pad((-1, 2, 3, -2), value = -1)", "F.pad(x, (3, -2, -1, 2), value=-1)",
         (2, 3, 4, 5)),
    case("pad_channels", "x -> pad(0, channels = (1, 2), value = 0.5)",
         "F.pad(x, (0, 0, 0, 0, 1, 2), value=0.5)", (2, 3, 4, 5)),
    *(case(f"pad_{mode}", f'x -> pad((2, 1, 0, 3), mode = "{mode}")',
           f"F.pad(x, (0, 3, 2, 1), mode='{mode}')", (2, 2, 3, 4))
      for mode in ("reflect", "replicate", "circular")),
    case("pad_replicate_far", 'relu(x) -> pad(5, mode = "replicate") -> sigmoid',
         "torch.sigmoid(F.pad(F.relu(x), (5, 5, 5, 5), mode='replicate'))", (1, 1, 2, 3), kinks=True),
    case("pad_used", "relu(x) -> pad(1, value = 2.25) -> max_pool(3, stride = 1)",
         "F.max_pool2d(F.pad(F.relu(x), (1, 1, 1, 1), value=2.25), 3, 1)", (2, 2, 4, 5),
         kinks=True),
    case("concat", "concat(x, other)", "torch.cat((x, other), 1)", (2, 3, 4, 5), (2, 2, 4, 5)),
    case("concat_rows", "concat(x, other, axis = 1)", "torch.cat((x, other), 2)", (2, 3, 4, 5),
         (2, 3, 1, 5)),
    case("concat_columns", "concat(x, other, x, axis = -1)", "torch.cat((x, other, x), 3)",
         (2, 3, 4, 5), (2, 3, 4, 17)),
    case("concat_features", "concat(x, other)", "torch.cat((x, other), 1)", (3, 7), (3, 18)),
    case("concat_one", "concat(x)", "x", (2, 3, 4, 5)),
    case("concat_used", "concat(sigmoid(x), relu(other), x) -> avg_pool(2) -> sigmoid",
         "torch.sigmoid(F.avg_pool2d(torch.cat((torch.sigmoid(x), F.relu(other), x), 1), 2))",
         (2, 3, 4, 6), (2, 2, 4, 6), kinks=True),

    pool("avg", "", (2, 3, 6, 8), 2),
    pool("avg", "_left_over", (2, 2, 7, 5), 2),
    pool("avg", "_padded", (2, 3, 7, 8), 3, ", stride = 2, padding = 1", ", 2, 1"),
    pool("avg", "_padded_excluded", (2, 3, 7, 8), 3,
         ", stride = 2, padding = 1, count_include_pad = false", ", 2, 1, False, False"),
    pool("avg", "_divisor", (1, 2, 7, 6), 3,
         ", stride = 2, padding = 1, ceil_mode = true, divisor_override = 5", ", 2, 1, True, True, 5"),
    pool("avg", "_divisor_excluded", (1, 2, 4, 6), 2,
         ", count_include_pad = false, divisor_override = -3",
         ", count_include_pad=False, divisor_override=-3"),
    pool("avg", "_ceil", (2, 2, 7, 6), (2, 3), ", stride = 2, ceil_mode = true", ", 2, 0, True"),
    pool("avg", "_ceil_padded", (1, 2, 8, 9), 3, ", stride = (3, 2), padding = 1, ceil_mode = true",
         ", (3, 2), 1, True"),
    pool("avg", "_ceil_padded_excluded", (1, 2, 8, 9), 3,
         ", stride = (3, 2), padding = 1, ceil_mode = true, count_include_pad = false",
         ", (3, 2), 1, True, False"),
    pool("avg", "_strided_rectangular", (1, 2, 9, 11), (2, 3), ", stride = (3, 2), padding = (1, 0)",
         ", (3, 2), (1, 0)"),
    pool("avg", "_overlapping", (2, 2, 6, 5), (3, 2), ", stride = 1", ", 1"),
    pool("max", "", (2, 3, 6, 8), 2),
    pool("max", "_left_over", (2, 2, 7, 5), 2),
    pool("max", "_padded", (2, 3, 7, 8), 3, ", stride = 2, padding = 1", ", 2, 1"),
    pool("max", "_rectangular", (1, 2, 4, 4), (2, 3), ", padding = (0, 1)", ", (2, 3), (0, 1)"),
    pool("max", "_ceil", (2, 2, 7, 6), (2, 3), ", stride = 2, ceil_mode = true",
         ", 2, ceil_mode=True"),
    pool("max", "_dilated", (2, 3, 9, 8), 3, ", stride = 2, padding = 1, dilation = (2, 1)",
         ", 2, 1, (2, 1)"),
    pool("max", "_dilated_ceil", (1, 2, 9, 10), (2, 3),
         ", stride = (1, 2), dilation = 2, ceil_mode = true", ", (1, 2), 0, 2, True"),
    case("max_pool_each_side", "x -> max_pool(3, stride = 2, padding = (1, 0, 0, 1))",
         "F.max_pool2d(F.pad(x, (0, 1, 1, 0), value=-torch.inf), 3, 2)", (2, 2, 7, 6), kinks=True),
    pool("max", "_overlapping", (2, 2, 6, 5), 3, ", stride = 1", ", 1"),
    pool("max", "_ties", (1, 2, 6, 6), 3, ", stride = 2, padding = 1", ", 2, 1",
         prepare="x.round_()"),
    case("global_avg_pool", "x -> global_avg_pool", "F.adaptive_avg_pool2d(x, 1)", (2, 3, 7, 5)),
    case("global_max_pool", "global_max_pool(x)", "F.adaptive_max_pool2d(x, 1)", (2, 3, 7, 5),
         kinks=True),
    case("adaptive_avg_pool", "x -> adaptive_avg_pool((2, 3))", "F.adaptive_avg_pool2d(x, (2, 3))",
         (2, 3, 7, 5)),
    case("adaptive_avg_pool_whole", "x -> adaptive_avg_pool(3)", "F.adaptive_avg_pool2d(x, 3)",
         (2, 2, 6, 9)),
    case("adaptive_avg_pool_larger", "x -> adaptive_avg_pool((5, 4))",
         "F.adaptive_avg_pool2d(x, (5, 4))", (1, 2, 3, 7)),
    case("adaptive_max_pool", "x -> adaptive_max_pool((2, 3))", "F.adaptive_max_pool2d(x, (2, 3))",
         (2, 3, 7, 5), kinks=True),
    case("adaptive_max_pool_whole", "x -> adaptive_max_pool(3)", "F.adaptive_max_pool2d(x, 3)",
         (2, 2, 6, 9), kinks=True),
    case("adaptive_max_pool_ties", "x -> adaptive_max_pool(4)", "F.adaptive_max_pool2d(x, 4)",
         (1, 2, 7, 6), kinks=True, prepare="x.round_()"),
] + [
    case(f"{op}_{kind}", f"{op}(x, other)", f"torch.{op}(x, other)", x, other,
         kinks=op in ("maximum", "minimum"),
         prepare={"div": "other.copy_((other.sign() * (other.abs() + 0.5)).float())",
                  "maximum": "x.round_(); other.round_()"}.get(op, ""))
    for op in ("add", "sub", "mul", "div", "maximum", "minimum")
    for kind, x, other in [
        ("same", (2, 3, 4, 5), (2, 3, 4, 5)), ("channel", (2, 3, 4, 5), (2, 3, 1, 1)),
        ("image", (2, 3, 4, 5), (2, 1, 4, 5)), ("scalar", (2, 3, 4, 5), (2, 1, 1, 1)),
        ("both", (2, 3, 1, 5), (2, 1, 4, 1))]
] + [
    case("add_features", "x + other", "x + other[:, None, None, :]", (2, 3, 4, 5), (2, 5)),
    # What no net can say: an operand without a batch of its own, and losses.
    case("mul_repeated_batch", "cnn.mul %x, %other : {x}, {other} -> {y}", "x * other",
         (2, 3, 4, 5), (1, 3, 1, 1)),
    case("cross_entropy", "cnn.cross_entropy %x, %labels, %rows : {x}, {labels}, tensor<i32> -> {y}",
         "F.cross_entropy(x, labels)", (5, 7)),
    case("cross_entropy_large",
         "cnn.cross_entropy %x, %labels, %rows : {x}, {labels}, tensor<i32> -> {y}",
         "F.cross_entropy(x, labels)", (4, 10),
         prepare="x.mul_(torch.tensor([1000.0, 1.0, 80.0, 1e-3])[:, None]); x.copy_(x.float())"),
    case("cross_entropy_one_class",
         "cnn.cross_entropy %x, %labels, %rows : {x}, {labels}, tensor<i32> -> {y}",
         "F.cross_entropy(x, labels)", (3, 1)),
    case("cross_entropy_sum",
         "cnn.cross_entropy %x, %labels, %rows {{sum = true}} : {x}, {labels}, tensor<i32> -> {y}",
         "F.cross_entropy(x, labels, reduction='sum')", (5, 7)),
    case("cross_entropy_smooth",
         "cnn.cross_entropy %x, %labels, %rows {{label_smoothing = 0.1 : f64}} : "
         "{x}, {labels}, tensor<i32> -> {y}",
         "F.cross_entropy(x, labels, label_smoothing=0.1)", (5, 7)),
    case("mse", "cnn.squared_error %x, %other, %rows {{mean = true}} : {x}, {other}, tensor<i32> -> {y}",
         "F.mse_loss(x, other)", (5, 7), (5, 7)),
    case("sse", "cnn.squared_error %x, %other, %rows : {x}, {other}, tensor<i32> -> {y}",
         "F.mse_loss(x, other, reduction='sum')", (5, 7), (5, 7)),
]

# Functions of several dimensions, along one axis of a sample, along some, along all.
AXES = [("all", "", (1, 2, 3)), ("rows", ", axis = 1", (2,)), ("two", ", axis = [0, -1]", (1, 3)),
        ("kept", ", axis = -1, keepdims = true", (3,))]


def reduction(name, kind, arguments, dims, x=(2, 3, 4, 5)):
    keep = "keepdims" in arguments
    function = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin"}[name]
    # amax shares the gradient among equal elements, of which random numbers have none.
    return case(f"{name}_{kind}", f"{name}(x{arguments})",
                f"torch.{function}(x, {dims}, keepdim={keep})", x, kinks=name in ("max", "min"))


def argmax(kind, arguments, torch, x=(2, 3, 4, 5), **more):
    return case(f"argmax_{kind}", f"argmax(x{arguments})", torch, x, gradient=False, **more)


NORM = {name: (3,) for name in ("weight", "bias", "running_mean", "running_var")}
POSITIVE = "running_var.abs_().add_(0.5)"
TRAINED = ("%y, %mean, %variance = cnn.batch_norm_train %x, %weight, %bias, %rows "
           "{{{{epsilon = {eps} : f64}}}} : {{x}}, {{weight}}, {{rows}} -> {{y}}, {{weight}}, {{weight}}")
MASKED = ("cnn.dropout_train %x, %seed, %seed_high, %step {{{{probability = {p} : f64, number = 3 : i64}}}} "
          ": {{x}}, {{seed}} , {{seed_high}}, {{step}} -> {{y}}").replace(" ,", ",")


def dropped(kind, p):
    """Dropout in training, by the mask that dialect/CnnRandomOps.td documents."""
    words = {"seed": -1985229329, "seed_high": 19088743, "step": 70000}
    return case(f"dropout_train_{kind}", MASKED.format(p=p), f"dropout(x, {p}, 3, **words)", (3, 5, 7),
                words=words)


CASES += [
    *(reduction(name, *axes) for name in ("sum", "mean", "max", "min") for axes in AXES),
    # The first of equal elements.
    case("max_ties", "max(x, axis = 1)", "x.max(2).values", (2, 3, 4, 5), kinks=True,
         prepare="x.copy_(x * 8 + torch.arange(4)[:, None]); x[..., 2:4, :] = x[..., 1:2, :] - 2"),
    argmax("all", "", "x.flatten(1).argmax(1)"),
    argmax("rows", ", axis = 1", "x.argmax(2)"),
    argmax("two", ", axis = [1, 2]", "x.flatten(2).argmax(2)"),
    argmax("kept", ", axis = -1, keepdims = true", "x.argmax(3, keepdim=True)"),
    argmax("features", "", "x.argmax(1)", (5, 21)),
    argmax("ties", ", axis = 0", "x.argmax(1)", (2, 6, 3, 5), prepare="x.round_()"),
    case("flip_all", "flip(x)", "x.flip((1, 2, 3))", (2, 3, 4, 5)),
    case("flip_columns", "flip(x, axis = -1)", "x.flip(3)", (2, 3, 4, 5)),
    case("flip_two", "flip(x, axis = [0, 1])", "x.flip((1, 2))", (2, 3, 4, 5)),
    case("stack_channels", "stack(x, other)", "torch.stack((x, other), 1)", (2, 4, 5), (2, 4, 5)),
    case("stack_last", "stack(x, other, x, axis = -1)", "torch.stack((x, other, x), 3)", (2, 4, 5),
         (2, 4, 5)),
    case("batch_norm", "x -> batch_norm",
         "F.batch_norm(x, running_mean, running_var, weight, bias)", (2, 3, 4, 5), prepare=POSITIVE,
         **NORM),
    case("batch_norm_options", "x -> batch_norm(eps = 0.25, momentum = 0.5)",
         "F.batch_norm(x, running_mean, running_var, weight, bias, eps=0.25)", (2, 3, 4, 5),
         prepare=POSITIVE, **NORM),
    case("batch_norm_features", "x -> batch_norm",
         "F.batch_norm(x, running_mean, running_var, weight, bias)", (5, 3), prepare=POSITIVE, **NORM),
    case("batch_norm_not_affine", "x -> batch_norm(affine = false)",
         "F.batch_norm(x, running_mean, running_var)", (2, 3, 4, 5), prepare=POSITIVE,
         running_mean=(3,), running_var=(3,)),
    case("batch_norm_untracked", "x -> batch_norm(track_running_stats = false, eps = 0.01)",
         "F.batch_norm(x, None, None, weight, bias, training=True, eps=0.01)", (3, 3, 4, 5),
         weight=(3,), bias=(3,)),
    case("batch_norm_plain", "x -> batch_norm(affine = false, track_running_stats = false)",
         "F.batch_norm(x, None, None, training=True)", (5, 7)),
    case("batch_norm_train", TRAINED.format(eps="1.0e-05"),
         "F.batch_norm(x, None, None, weight, bias, training=True)", (3, 3, 4, 5), weight=(3,),
         bias=(3,)),
    case("batch_norm_train_features", TRAINED.format(eps="2.5e-01"),
         "F.batch_norm(x, None, None, weight, bias, training=True, eps=0.25)", (5, 3), weight=(3,),
         bias=(3,)),
    case("dropout", "x -> dropout(p = 0.3)", "F.dropout(x, 0.3, training=False)", (2, 3, 4, 5)),
    *(dropped(kind, p) for kind, p in (("half", 0.5), ("few", 0.1), ("most", 0.9), ("none", 0.0),
                                     ("all", 1.0))),
]
