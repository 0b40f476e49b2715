// Evaluation and Session with a net written by hand, against counts made here.
#include "runtime/train/Evaluator.h"

#include "SoftmaxNet.h"
#include "runtime/device/cpu/CpuDevice.h"
#include "runtime/train/Text.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace cnn;

namespace {

Evaluation threeClasses() {
  Evaluation evaluation;
  evaluation.classNames = {"cat", "dog", "狐"};
  evaluation.images = 10;
  evaluation.correct = 6;
  evaluation.loss = 0.75;
  evaluation.confusion = {3, 1, 0, //
                          2, 3, 0, //
                          1, 0, 0};
  return evaluation;
}

TEST(Evaluation, ScoresOfAClass) {
  Evaluation evaluation = threeClasses();
  ClassScore cat = scoreOf(evaluation, 0);
  EXPECT_EQ(cat.images, 4);
  EXPECT_DOUBLE_EQ(cat.precision, 3.0 / 6);
  EXPECT_DOUBLE_EQ(cat.recall, 3.0 / 4);
  EXPECT_DOUBLE_EQ(cat.accuracy, 6.0 / 10); // 3 found, 3 + 0 of the others rightly not cats
  ClassScore fox = scoreOf(evaluation, 2);
  EXPECT_TRUE(std::isnan(fox.precision)); // never predicted
  EXPECT_DOUBLE_EQ(fox.recall, 0);
  EXPECT_DOUBLE_EQ(fox.accuracy, 9.0 / 10);
}

TEST(Evaluation, Text) {
  EXPECT_EQ(evaluationText(threeClasses()),
            "10 images, loss 0.7500, accuracy 60.00%\n"
            "\n"
            "class   images  precision   recall  accuracy\n"
            "cat          4     50.00%   75.00%    60.00%\n"
            "dog          5     75.00%   60.00%    70.00%\n"
            "狐           1          -    0.00%    90.00%\n"
            "\n"
            "confusion matrix: a row per class, a column per prediction\n"
            "           0    1    2\n"
            "cat   0    3    1    0\n"
            "dog   1    2    3    0\n"
            "狐    2    1    0    0\n");
}

TEST(Evaluation, JsonHasNullForWhatWasNotCounted) {
  Json json = evaluationJson(threeClasses());
  EXPECT_EQ(jsonText(json["confusion"]), "[[3,1,0],[2,3,0],[1,0,0]]");
  EXPECT_EQ(json["accuracy"].get<double>(), 0.6);
  EXPECT_TRUE(json["classes"][2]["precision"].is_null());
  EXPECT_EQ(json["classes"][2]["recall"].get<double>(), 0);
}

/// Loss and accuracy of zero weights: log(classes), and everything predicted as class 0.
TEST(Evaluation, OfANetThatKnowsNothing) {
  auto device = std::move(*CpuDevice::create(2));
  auto session = std::move(*Session::create(test::softmaxNet({2, 3, 3}, 5, 8), *device));
  Dataset data = test::blobs({2, 3, 3}, 5, 1, 43);
  Result<Evaluation> result = evaluate(*session, data.test, data.classNames);
  ASSERT_TRUE(result.isOk()) << result.message();
  EXPECT_EQ(result->images, 43);
  EXPECT_NEAR(result->loss, std::log(5.0), 1e-6);
  int64_t zeros = 0;
  for (int64_t i = 0; i < 43; ++i)
    zeros += data.test.label(i) == 0;
  EXPECT_EQ(result->correct, zeros);
  EXPECT_EQ(result->confusion[0], zeros);
}

TEST(Evaluation, CountsOutputsThatAreNotFinite) {
  auto device = std::move(*CpuDevice::create(1));
  auto session = std::move(*Session::create(test::softmaxNet({1, 2, 2}, 2, 8), *device));
  static_cast<float *>(*session->state())[0] = NAN;
  Dataset data = test::blobs({1, 2, 2}, 2, 1, 12);
  Result<Evaluation> result = evaluate(*session, data.test, data.classNames);
  ASSERT_TRUE(result.isOk()) << result.message();
  EXPECT_EQ(result->nonFinite, 12);
  EXPECT_TRUE(evaluationJson(*result)["loss"].is_null());
}

TEST(SessionTest, RefusesMoreThanTheMachineHas) {
  auto device = std::move(*CpuDevice::create(1));
  CompiledNet net = test::softmaxNet({1, 4, 4}, 3, 8);
  for (EntryPoint &point : net.manifest.entries)
    for (BufferSpec &spec : point.buffers)
      if (spec.role == BufferRole::Arena)
        spec.bytes = uint64_t(1) << 50;
  Result<std::unique_ptr<Session>> session = Session::create(net, *device);
  ASSERT_TRUE(session.failed());
  EXPECT_EQ(session.message().find("net 'softmax' with batch 8 needs 1"), 0u) << session.message();
  EXPECT_NE(session.message().find("hint: use a smaller batch"), std::string::npos);
}

TEST(SessionTest, NamesWhatIsMissing) {
  auto device = std::move(*CpuDevice::create(1));
  CompiledNet net = test::softmaxNet({1, 4, 4}, 3, 8);
  auto lookup = net.lookup;
  net.lookup = [=](std::string_view symbol) {
    return symbol == "softmax_eval" ? nullptr : lookup(symbol);
  };
  EXPECT_EQ(Session::create(net, *device).message(),
            "the code of net 'softmax' lacks the function 'softmax_eval' of its entry point "
            "'eval'");
  net.lookup = lookup;
  auto session = std::move(*Session::create(net, *device));
  EXPECT_EQ(session->call("export").message(),
            "net 'softmax' was compiled without the entry point 'export'");
  EXPECT_EQ((*session->call("infer"))->input("labels").message(),
            "entry point 'infer' of net 'softmax' has no input 'labels'");
}

TEST(TextTest, WidthsAndDigits) {
  EXPECT_EQ(displayWidth("狐 été"), 6);
  EXPECT_EQ(padLeft("狐", 4), "  狐");
  EXPECT_EQ(groupDigits(60000), "60,000");
  EXPECT_EQ(groupDigits(-123456), "-123,456");
  EXPECT_EQ(groupDigits(123), "123");
  EXPECT_EQ(groupDigits(0), "0");
}

} // namespace
