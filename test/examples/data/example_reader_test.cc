#include "examples/common/data/example_reader.h"

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "examples/common/data/feature_key.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::Equal;
using test::Files;
using test::In;
using test::KeysOf;
using test::NextOf;
using test::OpenReader;
using test::ReadAll;
using test::ReadError;
using test::SchemaOf;

using Keys = std::vector<Key>;

Key KeyOf(const char* field, const char* token) {
  return FeatureKey(FieldSeed(field), token);
}

// Label y, number n, fields c and m (several values).
constexpr char kSchema[] = R"({
  "files": ["f"], "splits": {"all": {}}, "label": "y", "group": "c",
  "features": [{"column": "n", "type": "numeric", "missing": 7}, "c",
               {"column": "m", "separator": "|"}]})";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string ManyRows(std::size_t count) {
  std::string text = "y,n,c,m\n";
  for (std::size_t i = 0; i < count; ++i) {
    absl::StrAppend(&text, i % 3 == 1 ? 1 : 0, ",", i * i, ",user", i % 17, ",a", i % 5, "|b", i,
                    "\n");
  }
  return text;
}

TEST_CASE("cells become labels, numbers, keys and groups", "[examples][reader]") {
  const Batch batch = ReadAll(kSchema, {{"f", "c,y,m,n\nA,1,x|y,2.5\n,0,,\nB,-1,||z|,-3e1\n"}});

  REQUIRE(batch.size == 3);
  CHECK(batch.labels == std::vector<float>{1, 0, 0});
  CHECK(batch.numeric == std::vector<float>{2.5F, 7, -30});
  CHECK(KeysOf(batch, 0, 0) == Keys{KeyOf("c", "A")});
  CHECK(KeysOf(batch, 0, 1) == Keys{KeyOf("m", "x"), KeyOf("m", "y")});
  CHECK(KeysOf(batch, 1, 0).empty());
  CHECK(KeysOf(batch, 1, 1).empty());
  CHECK(KeysOf(batch, 2, 1) == Keys{KeyOf("m", "z")});
  CHECK(batch.groups == Keys{KeyOf("c", "A"), KeyOf("c", ""), KeyOf("c", "B")});
  CHECK(batch.values.empty());
}

TEST_CASE("a key depends on the field's name and the token only", "[examples][reader]") {
  CHECK(KeyOf("a", "1") != KeyOf("b", "1"));
  CHECK(KeyOf("a", "1") != KeyOf("a", "2"));
  CHECK(KeyOf("ab", "c") != KeyOf("a", "bc"));
  CHECK(KeyOf("user", "17") == XXH3_64bits_withSeed("17", 2, XXH3_64bits("user", 4)));
}

TEST_CASE("quotes, CRLF, a byte order mark, empty lines and a missing last newline change nothing",
          "[examples][reader]") {
  const Batch plain = ReadAll(kSchema, {{"f", "y,n,c,m\n1,2,a,b\n0,3,c d,e|f\n"}});
  const std::string variant = GENERATE(values<std::string>(
      {"y,n,c,m\r\n1,2,a,b\r\n0,3,c d,e|f\r\n", "y,n,c,m\n1,2,a,b\n0,3,c d,e|f",
       "\xEF\xBB\xBFy,n,c,m\n1,2,a,b\n0,3,c d,e|f\n", "\ny,n,c,m\n\n1,2,a,b\n\n0,3,c d,e|f\n\n\n",
       "\"y\",\"n\",c,m\n\"1\",2,\"a\",b\n0,3,\"c d\",\"e|f\"\n"}));

  CHECK(Equal(ReadAll(kSchema, {{"f", variant}}), plain));
}

TEST_CASE("a quoted cell may hold separators and doubled quotes", "[examples][reader]") {
  const Batch batch = ReadAll(
      kSchema, {{"f", "y,n,c,m\n1,2,\"a, \"\"b\"\"\",\"\"\n0,3,x\"y,\"\"\"p\"\"|\"\"q\"\"\"\n"}});

  CHECK(KeysOf(batch, 0, 0) == Keys{KeyOf("c", "a, \"b\"")});
  CHECK(KeysOf(batch, 0, 1).empty());
  CHECK(KeysOf(batch, 1, 0) == Keys{KeyOf("c", "x\"y")});
  CHECK(KeysOf(batch, 1, 1) == Keys{KeyOf("m", "\"p\""), KeyOf("m", "\"q\"")});
}

TEST_CASE("quotes mean nothing in tab-separated files", "[examples][reader]") {
  const Batch batch = ReadAll(R"({"format": "tsv", "files": ["f"], "splits": {"all": {}},
                                  "label": "y", "features": ["c"]})",
                              {{"f", "y\tc\n1\t\"a\n0\t\"b\"\n"}});

  CHECK(KeysOf(batch, 0, 0) == Keys{KeyOf("c", "\"a")});
  CHECK(KeysOf(batch, 1, 0) == Keys{KeyOf("c", "\"b\"")});
}

TEST_CASE("plain, gzip and zstd files give equal batches", "[examples][reader]") {
  const std::string text = ManyRows(20'000);  // More than a buffer.
  const std::size_t half = text.size() / 2;
  const Batch want = ReadAll(kSchema, {{"f", text}});
  REQUIRE(want.size == 20'000);

  CHECK(Equal(ReadAll(kSchema, {{"f", Gzip(text)}}), want));
  CHECK(Equal(ReadAll(kSchema, {{"f", Zstd(text)}}), want));
  CHECK(
      Equal(ReadAll(kSchema, {{"f", Gzip(text.substr(0, half)) + Gzip(text.substr(half))}}), want));
  CHECK(
      Equal(ReadAll(kSchema, {{"f", Zstd(text.substr(0, half)) + Zstd(text.substr(half))}}), want));
}

TEST_CASE("compressed data that is cut off or damaged is data loss", "[examples][reader]") {
  const std::string text = ManyRows(500);
  const std::string gzip = Gzip(text);
  const std::string zstd = Zstd(text);
  std::string flipped = gzip;
  flipped[gzip.size() / 2] = static_cast<char>(flipped[gzip.size() / 2] ^ 0x55);

  CHECK(ReadError(kSchema, {{"f", gzip.substr(0, gzip.size() - 9)}}) ==
        "f: the gzip data ends early");
  CHECK(ReadError(kSchema, {{"f", zstd.substr(0, zstd.size() - 9)}}) ==
        "f: the zstd data ends early");
  CHECK_THAT(ReadError(kSchema, {{"f", flipped}}), Catch::StartsWith("f: damaged gzip data: "));
}

struct BadFile {
  const char* text;
  const char* message;
};

TEST_CASE("a bad line is named by file, line and column", "[examples][reader]") {
  const auto [text, message] = GENERATE(values<BadFile>({
      {"", "f:1:1: '' is an empty file; wanted a header line with the names of the columns"},
      {"y,n,y,m\n", "f:1:5: column 'y' is named twice in the header; wanted it once"},
      {"y,n,m\n", "f:1:1: no column 'c', which the group needs; wanted it among y, n, m"},
      {"y,c,m\n", "f:1:1: no column 'n', which feature 'n' needs; wanted it among y, c, m"},
      {"y,n,c,m\n1,2,a,b\n1,2,a\n", "f:3:6: 'a' is the last cell: the line has 3; wanted 4"},
      {"y,n,c,m\n1,2,a,b,c,d\n", "f:2:9: 'c,d' is one cell too many: the line has 6; wanted 4"},
      {"y,n,c,m\n1,2,a,\"b\n",
       "f:2:7: the quote of '\"b' is not closed; wanted a '\"' on the same line"},
      {"y,n,c,m\n1,2,\"a\"x,b\n",
       "f:2:8: 'x,b' follows a closing quote; wanted the separator ',' or "
       "the end of the line"},
      {"y,n,c,m\n\n2,2,a,b\n", "f:3:1: label '2': wanted 0, 1 or -1"},
      {"y,n,c,m\n,2,a,b\n", "f:2:1: label '': wanted 0, 1 or -1"},
      {"y,n,c,m\n1,2x,a,b\n",
       "f:2:3: column 'n': '2x' is not a number; wanted a finite one or an empty cell"},
      {"y,n,c,m\n1,1e39,a,b\n",
       "f:2:3: column 'n': '1e39' is not a number; wanted a finite one or an empty cell"},
      {"y,n,c,m\n1,nan,a,b\n",
       "f:2:3: column 'n': 'nan' is not a number; wanted a finite one or an empty cell"},
      {"y,n,c,m\n1,\x01\xE9,a,b\n",
       "f:2:3: column 'n': '\\x01\\xE9' is not a number; wanted a finite one or an empty cell"},
      {"y,n,c,m\n1,0123456789012345678901234567890123456789,a,b\n1,"
       "0123456789012345678901234567890123456789x,a,b\n",
       "f:3:3: column 'n': '0123456789012345678901234567890123456789...' is not a number; wanted a "
       "finite one or an empty cell"},
  }));

  CHECK(ReadError(kSchema, {{"f", text}}) == message);
}

TEST_CASE("a line may be as long as the limit and no longer", "[examples][reader]") {
  const std::string head = "y,n,c,m\n";
  const std::string start = "1,2,a,";

  const Batch batch =
      ReadAll(kSchema, {{"f", head + start + std::string(kLineSizeMax - 6, 'x') + "\r\n"}});
  CHECK(batch.size == 1);
  CHECK(ReadError(kSchema, {{"f", head + start + std::string(kLineSizeMax - 5, 'x')}}) ==
        "f:2:1048577: the line is too long; wanted at most 1048576 bytes");
  CHECK(ReadError(kSchema, {{"f", head + start + std::string(kLineSizeMax * 3, 'x')}}) ==
        "f:2:1048577: the line is too long; wanted at most 1048576 bytes");
}

TEST_CASE("labels come from thresholds and lists", "[examples][reader]") {
  const auto read = [](const std::string& label) {
    return ReadAll(R"({"files": ["f"], "splits": {"all": {}}, "features": ["c"], "label": )" +
                       label + "}",
                   {{"f", "r,c\n3.5,a\n4,b\n4.5,c\n"}})
        .labels;
  };

  CHECK(read(R"({"column": "r", "at_least": 4})") == std::vector<float>{0, 1, 1});
  CHECK(read(R"({"column": "r", "positive": ["3.5", "4.5"]})") == std::vector<float>{1, 0, 1});
  CHECK(ReadError(R"({"files": ["f"], "splits": {"all": {}}, "features": ["c"],
                      "label": {"column": "r", "at_least": 4}})",
                  {{"f", "r,c\nx,a\n"}}) == "f:2:1: label 'x': wanted a finite number");
  CHECK(ReadError(R"({"files": ["f"], "splits": {"all": {}}, "features": ["c"],
                      "label": {"column": "r", "positive": ["a"]}})",
                  {{"f", "c,r\nx,\n"}}) == "f:2:3: label '': wanted a value");
}

TEST_CASE("numbers are transformed as the schema says", "[examples][reader]") {
  const Batch batch = ReadAll(
      R"({"files": ["f"], "splits": {"all": {}}, "label": "y", "features": [
        {"column": "n", "field": "a", "type": "numeric"},
        {"column": "n", "field": "b", "type": "numeric", "transform": "log1p", "missing": -2},
        {"column": "n", "field": "c", "type": "numeric", "transform": "standardise",
         "mean": 1.5, "std": 4}]})",
      {{"f", "y,n\n1,7\n0,-3\n1,\n"}});

  const std::vector<float> want = {
      7, std::log(8.0F), 5.5F / 4, -3, -std::log(4.0F), -4.5F / 4, 0, -2, 0};
  REQUIRE(batch.numeric.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(batch.numeric[i] == Approx(want[i]));
}

TEST_CASE("tokens are extracted, lowered and put in buckets", "[examples][reader]") {
  const Batch batch = ReadAll(
      R"({"files": ["f"], "splits": {"all": {}}, "label": "y", "features": [
        {"column": "t", "field": "year", "extract": "\\(([0-9]{4})\\) *$"},
        {"column": "t", "field": "low", "lower_case": true},
        {"column": "n", "field": "b", "bucket": [1, 10, 100]},
        {"column": "n", "field": "l", "bucket": "log_square"}]})",
      {{"f", "y,t,n\n1,Up (1) (1995) ,10\n0,\xC9T\xC9,2\n1,,0.5\n0,(2001) x,1000\n1,x,-1.5\n"}});

  CHECK(KeysOf(batch, 0, 0) == Keys{KeyOf("year", "1995")});
  CHECK(KeysOf(batch, 1, 0).empty());
  CHECK(KeysOf(batch, 3, 0).empty());
  CHECK(KeysOf(batch, 0, 1) == Keys{KeyOf("low", "up (1) (1995) ")});
  CHECK(KeysOf(batch, 1, 1) == Keys{KeyOf("low", "\xC9t\xC9")});  // Bytes are bytes.
  CHECK(KeysOf(batch, 0, 2) == Keys{KeyOf("b", "2")});
  CHECK(KeysOf(batch, 2, 2) == Keys{KeyOf("b", "0")});
  CHECK(KeysOf(batch, 3, 2) == Keys{KeyOf("b", "3")});
  CHECK(KeysOf(batch, 0, 3) == Keys{KeyOf("l", "5")});  // ln(10)^2 = 5.3
  CHECK(KeysOf(batch, 1, 3) == Keys{KeyOf("l", "SP2")});
  CHECK(KeysOf(batch, 2, 3) == Keys{KeyOf("l", "SP0")});
  CHECK(KeysOf(batch, 3, 3) == Keys{KeyOf("l", "47")});  // ln(1000)^2 = 47.7
  CHECK(KeysOf(batch, 4, 3) == Keys{KeyOf("l", "SP-2")});
}

TEST_CASE("rules that cannot be applied are refused", "[examples][reader]") {
  const std::string head =
      R"({"files": ["f"], "splits": {"all": {}}, "label": "y", "features": [{"column": "n", )";

  CHECK(ReadError(head + R"("bucket": [5]}]})", {{"f", "y,n\n1,3\n0,q\n"}}) ==
        "f:3:3: column 'n': 'q' has no bucket; wanted a finite number or an empty cell");
  CHECK(ReadError(head + R"("extract": "(a"}]})", {{"f", "y,n\n"}}) ==
        "schema: feature 'n': extract '(a': Unmatched ( or \\(; wanted a POSIX extended regular "
        "expression");
  CHECK(ReadError(head + R"("extract": "a"}]})", {{"f", "y,n\n"}}) ==
        "schema: feature 'n': extract 'a' has 0 groups; wanted one");
}

TEST_CASE("raw Criteo lines are read", "[examples][reader]") {
  std::string line = "1\t1\t\t5\t0\t1382\t4\t15\t2\t181\t1\t2\t\t2";
  for (int c = 1; c <= 26; ++c) absl::StrAppend(&line, "\t", c == 19 ? "" : "68fd1e64");
  const Batch batch =
      ReadAll(R"({"format": "criteo", "integers": "both", "splits": {"all": {"files": ["f"]}}})",
              {{"f", line + "\n"}});

  REQUIRE(batch.size == 1);
  CHECK(batch.numeric[4] == Approx(std::log(1383.0)));
  CHECK(batch.numeric[1] == 0);
  CHECK(KeysOf(batch, 0, 0) == Keys{KeyOf("I1", "SP1")});
  CHECK(KeysOf(batch, 0, 1).empty());
  CHECK(KeysOf(batch, 0, 4) == Keys{KeyOf("I5", "52")});  // ln(1382)^2 = 52.3
  CHECK(KeysOf(batch, 0, 13) == Keys{KeyOf("C1", "68fd1e64")});
  CHECK(KeysOf(batch, 0, 13 + 18).empty());
}

TEST_CASE("libsvm lines are one field of many values, or positional fields", "[examples][reader]") {
  const Batch bag = ReadAll(R"({"format": "libsvm", "splits": {"all": {"files": ["f"]}}})",
                            {{"f", "-1 3:1 7:0.5\n\n1  9:1\t\n1\n"}});
  CHECK(bag.labels == std::vector<float>{0, 1, 1});
  CHECK(KeysOf(bag, 0, 0) == Keys{KeyOf("features", "3"), KeyOf("features", "7")});
  CHECK(KeysOf(bag, 1, 0) == Keys{KeyOf("features", "9")});
  CHECK(KeysOf(bag, 2, 0).empty());
  CHECK(bag.values == std::vector<float>{1, 0.5F, 1});

  const Batch fields = ReadAll(
      R"({"format": "libsvm", "fields": 2, "columns": ["user", "item"], "group": "item",
          "splits": {"all": {"files": ["f"]}}})",
      {{"f", "1 4:1 8:1\n"}});
  CHECK(KeysOf(fields, 0, 0) == Keys{KeyOf("user", "4")});
  CHECK(KeysOf(fields, 0, 1) == Keys{KeyOf("item", "8")});
  CHECK(fields.groups == Keys{KeyOf("item", "8")});
  CHECK(fields.values.empty());
}

TEST_CASE("a bad libsvm line is named by file, line and column", "[examples][reader]") {
  const auto [text, message] = GENERATE(values<BadFile>({
      {"x 1:1 2:1\n", "f:1:1: label 'x': wanted 0, 1 or -1"},
      {"1 1:1 2:1\n0 1:1 b:1\n", "f:2:7: 'b:1' is no feature; wanted index:value"},
      {"1 1:1 2\n", "f:1:7: '2' is no feature; wanted index:value"},
      {"1 1:1 2:z\n", "f:1:9: value 'z' of feature '2': wanted a finite number"},
      {"1 1:1\n", "f:1:6: the line '1 1:1' has 1 features; wanted 2, one a field"},
      {"1 1:1 2:1 3:1\n", "f:1:11: '3:1' is one feature too many; wanted 2, one a field"},
  }));

  CHECK(ReadError(R"({"format": "libsvm", "fields": 2, "splits": {"all": {"files": ["f"]}}})",
                  {{"f", text}}) == message);
}

}  // namespace
}  // namespace longtail::examples
