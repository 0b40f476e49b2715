// The diagnostics engine by itself: suggestions, positions, limits.
#include "compiler/frontend/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace cnn;

TEST(Diagnostics, SuggestsOnlyWhatCouldBeMeant) {
  llvm::StringRef names[] = {"conv", "max_pool", "linear", "relu"};
  EXPECT_EQ(nearestName("convv", names), "conv");
  EXPECT_EQ(nearestName("Relu", names), "relu");
  EXPECT_EQ(nearestName("liner", names), "linear");
  EXPECT_EQ(nearestName("pool", names), "max_pool");
  EXPECT_EQ(nearestName("convolution", names), "conv");
  EXPECT_EQ(nearestName("xyzzy", names), std::nullopt);
  EXPECT_EQ(nearestName("x", names), std::nullopt);
  EXPECT_EQ(suggestName("xyzzy", names, "the layers are"),
            "the layers are conv, linear, max_pool, relu");
}

TEST(Diagnostics, JoinsAlternatives) {
  EXPECT_EQ(joinAlternatives({"a"}), "a");
  EXPECT_EQ(joinAlternatives({"a", "b"}), "a or b");
  EXPECT_EQ(joinAlternatives({"a", "b", "c"}), "a, b or c");
}

// Columns count characters, so that a place survives the way through file, line and column.
TEST(Diagnostics, PositionAndLocationAreInverse) {
  Diagnostics diagnostics(nullptr);
  unsigned buffer = diagnostics.addText("a.cnn", "\xEF\xBB\xBFnet\n\tgr\xC3\xB6\xC3\x9F"
                                                 "e -> x\n");
  llvm::StringRef text = diagnostics.text(buffer);
  auto at = [&](size_t offset) { return llvm::SMLoc::getFromPointer(text.begin() + offset); };
  for (size_t offset : {size_t(3), size_t(5), text.find("gr"), text.find("->"), text.find("x\n")}) {
    SourcePosition place = diagnostics.position(at(offset));
    EXPECT_EQ(diagnostics.location("a.cnn", place.line, place.column), at(offset)) << offset;
  }
  EXPECT_EQ(diagnostics.position(at(text.find("->"))).column, 8u);
  EXPECT_EQ(diagnostics.position(at(3)).column, 1u);
  EXPECT_FALSE(diagnostics.location("other.cnn", 1, 1).isValid());
  EXPECT_FALSE(diagnostics.location("a.cnn", 99, 1).isValid());
}

TEST(Diagnostics, ReportsAMistakeOnceAndAtMostTwenty) {
  std::string text;
  llvm::raw_string_ostream out(text);
  Diagnostics diagnostics(&out);
  unsigned buffer = diagnostics.addText("a.cnn", std::string(40, 'x'));
  auto range = [&](size_t offset) {
    const char *begin = diagnostics.text(buffer).begin() + offset;
    return llvm::SMRange{llvm::SMLoc::getFromPointer(begin),
                         llvm::SMLoc::getFromPointer(begin + 1)};
  };
  diagnostics.error(range(0), "one");
  diagnostics.error(range(0), "one");
  EXPECT_EQ(diagnostics.errorCount(), 1u);
  for (size_t i = 1; i < 40; ++i)
    diagnostics.error(range(i), "more");
  EXPECT_TRUE(diagnostics.full());
  EXPECT_EQ(diagnostics.errors().size(), 20u);
  EXPECT_NE(text.find("note: 20 errors are shown; there may be more\n"), std::string::npos);
  EXPECT_EQ(text.find("a.cnn:1:22"), std::string::npos);
}
