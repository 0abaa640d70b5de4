#include "examples/topics/segmenter.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_reader.h"
#include "examples/topics/text_files.h"
#include "examples/topics/tokenizer.h"

namespace longtail::examples {
namespace {

using longtail::test::ScratchDirectory;
using Words = std::vector<std::string>;

Words Cut(Segmenter& segmenter, std::string_view text) {
  std::vector<Rune> runes;
  REQUIRE_FALSE(DecodeUtf8(text, runes));
  std::vector<std::string_view> words;
  segmenter.Cut(text, runes, words);
  return {words.begin(), words.end()};
}

struct Small {
  ScratchDirectory directory;
  Segmenter segmenter = [this] {
    test::WriteSegmenter(directory.path());
    return test::Have(Segmenter::Load(directory.path()));
  }();
};

TEST_CASE("text is cut along its likeliest words", "[examples][topics][segmenter]") {
  Small small;

  CHECK(Cut(small.segmenter, "南京市长江大桥") == Words{"南京市", "长江大桥"});
  CHECK(Cut(small.segmenter, "南京的市长") == Words{"南京", "的", "市长"});
  CHECK(Cut(small.segmenter, "") == Words{});
}

TEST_CASE("what the dictionary lacks is cut by the model of words' ends",
          "[examples][topics][segmenter]") {
  Small small;

  CHECK(Cut(small.segmenter, "小王说的人") == Words{"小王", "说", "的", "人"});
  CHECK(Cut(small.segmenter, "南京小王") == Words{"南京", "小王"});
}

TEST_CASE("letters and numbers stay together and signs are words of their own",
          "[examples][topics][segmenter]") {
  Small small;

  CHECK(Cut(small.segmenter, "iPhone15 涨3.5%！") == Words{"iPhone15", "涨", "3.5%", "！"});
  CHECK(Cut(small.segmenter, "3d　人") == Words{"3d", "人"});
}

TEST_CASE("without a model characters come out alone", "[examples][topics][segmenter]") {
  WordTrie words;
  words.Add("红酒", 3);
  Segmenter segmenter(words, std::nullopt);

  CHECK(Cut(segmenter, "红酒木瓜汤ab") == Words{"红酒", "木", "瓜", "汤", "ab"});
}

TEST_CASE("a dictionary or model that is none is named with its line",
          "[examples][topics][segmenter]") {
  ScratchDirectory directory;
  const auto nothing = Segmenter::Load(directory.path());
  CHECK(nothing.status().code() == absl::StatusCode::kNotFound);
  test::WriteSegmenter(directory.path());
  test::WriteText(directory.path(), "jieba.dict.utf8", "南京 100\n长江 many\n");
  CHECK(std::string(Segmenter::Load(directory.path()).status().message()).find(":2:") !=
        std::string::npos);
  test::WriteText(directory.path(), "jieba.dict.utf8", "\xff\xfe 100\n");
  CHECK(std::string(Segmenter::Load(directory.path()).status().message()).find("UTF-8") !=
        std::string::npos);
  test::WriteText(directory.path(), "jieba.dict.utf8", "南京 100\n");
  test::WriteText(directory.path(), "hmm_model.utf8", "-1 -1 -1\n");
  CHECK(std::string(Segmenter::Load(directory.path()).status().message()).find("4 numbers") !=
        std::string::npos);
}

TEST_CASE("bytes that are no UTF-8 are found", "[examples][topics][utf8]") {
  struct Case {
    std::string bytes;
    std::optional<std::size_t> offset;
  };
  const Case c = GENERATE(values<Case>({
      {"a\xE4\xB8\xAD", std::nullopt},    // U+4E2D
      {"a\xE4\xB8", 1},                   // Cut.
      {"\xC0\x80", 0},                    // Overlong.
      {"ab\xED\xA0\x80", 2},              // A surrogate.
      {"\xF4\x90\x80\x80", 0},            // Beyond U+10FFFF.
      {"\x80", 0},                        // Within a character.
      {"\xF0\x9F\x98\x80", std::nullopt}  // U+1F600
  }));
  CAPTURE(c.bytes);
  std::vector<Rune> runes;

  CHECK(DecodeUtf8(c.bytes, runes) == c.offset);
}

TEST_CASE("a tokenizer drops signs, stop words and short words", "[examples][topics][tokenizer]") {
  ScratchDirectory directory;
  const std::string stop = test::WriteText(directory.path(), "stop", "the\nOf\n");
  auto tokenizer =
      test::Have(Tokenizer::Make({.segmenter = "", .stop_words = stop, .characters_min = 2}));
  Words words;

  CHECK_FALSE(tokenizer.Cut("The end OF\xE3\x80\x80x -- Big-Data 木瓜 瓜 ！！", words));
  CHECK(words == Words{"end", "big-data", "木瓜"});
  CHECK(tokenizer.Cut("good \xff", words) == 5);
  CHECK(words.empty());
}

TEST_CASE("words are those of jieba but for what the dictionaries differ in",
          "[examples][topics][segmenter][data]") {
  const char* const data = std::getenv("LONGTAIL_DATA");
  if (data == nullptr) {
    std::cout << "[skip] LONGTAIL_DATA is not set\n";
    return;
  }
  Segmenter segmenter = test::Have(Segmenter::Load(std::string(data) + "/zh-seg"));
  const std::string path = std::string(data) + "/zh-queries/weibo.test.tsv.gz";
  LineReader lines(path, test::Have(OpenFile(path)));
  std::size_t count = 0;
  std::size_t same = 0;
  for (std::string_view line; test::Have(lines.Next(line));) {
    const std::size_t tokens_at = line.rfind('\t') + 1;
    const std::size_t text_at = line.rfind('\t', tokens_at - 2) + 1;
    std::string joined;
    for (const std::string& word : Cut(segmenter, line.substr(text_at, tokens_at - 1 - text_at))) {
      joined += (joined.empty() ? "" : " ") + word;
    }
    ++count;
    same += joined == line.substr(tokens_at) ? 1U : 0U;
  }

  CHECK(count == 65'105);
  CHECK(static_cast<double>(same) / static_cast<double>(count) > 0.995);
}

}  // namespace
}  // namespace longtail::examples
