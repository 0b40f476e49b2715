// Strict JSON: what is accepted keeps its order, and what is refused says where and why.
#include "runtime/core/Json.h"

#include <gtest/gtest.h>

using namespace cnn;

static std::string errorOf(std::string_view text) { return parseJson(text, "f").message(); }

TEST(Json, KeepsOrderAndValues) {
  Result<Json> json =
      parseJson(R"( {"b": [1, -2, 0.5, true, null, "\u00e4"], "a": {"c": {}}} )", "f");
  ASSERT_EQ(json.message(), "");
  EXPECT_EQ(jsonText(*json), "{\"b\":[1,-2,0.5,true,null,\"\u00e4\"],\"a\":{\"c\":{}}}");
  EXPECT_TRUE((*json)["b"][0].is_number_unsigned());
}

TEST(Json, Refuses) {
  EXPECT_EQ(errorOf(""), "f: malformed JSON at byte 1: syntax error while parsing value - "
                         "unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(errorOf("[1, 2"), "f: malformed JSON at byte 6: syntax error while parsing array - "
                              "unexpected end of input; expected ']'");
  EXPECT_EQ(errorOf("[1] 2"), "f: malformed JSON at byte 5: syntax error while parsing value - "
                              "unexpected number literal; expected end of input");
  EXPECT_EQ(errorOf("[\"\xff\"]"), "f: malformed JSON at byte 3: syntax error while parsing value "
                                   "- invalid string: ill-formed UTF-8 byte");
  EXPECT_EQ(errorOf(R"({"a":1,"b":{"a":2},"a":3})"), "f: the key 'a' is there twice");
  EXPECT_EQ(errorOf(std::string(100000, '[')), "f: JSON is nested deeper than 64 levels");
  EXPECT_EQ(errorOf("[1e999]"), "f: malformed JSON at byte 6: number overflow parsing '1e999'");
}

TEST(Json, WritesBrokenUtf8) { EXPECT_EQ(jsonText(Json("a\xff")), "\"a\ufffd\""); }
