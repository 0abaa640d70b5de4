// The program as it is called: killed in the middle of a training, it goes on to the same bits; its
// exit status says whether an answer is a user's own.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "examples/recommender/small_data.h"
#include "examples/recommender/training_position.h"
#include "support/program.h"

namespace longtail::examples::recommender {
namespace {

using longtail::test::Program;
using test::Need;
using test::TemporaryDirectory;

const std::string kConfig =
    std::string(LONGTAIL_SOURCE_DIR) + "/examples/recommender/configs/movielens-latest-small.json";
constexpr absl::Duration kLimit = absl::Seconds(60);

std::vector<std::string> Train(const std::string& out) {
  return {LONGTAIL_RECOMMENDER, "train", kConfig, "--out", out, "--epochs", "4",
          "--checkpoint_every", "50"};
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a training that is killed goes on from its checkpoint to the same bits",
          "[examples][recommender][kill]") {
  const TemporaryDirectory whole;
  CHECK(Program(Train(whole.path())).Wait(kLimit) == 0);

  const TemporaryDirectory killed;
  Program program(Train(killed.path()));
  REQUIRE(Program::Await(
      kLimit, [&] { return Need(NewestIn(killed.path() + "/checkpoints", {})).has_value(); }));
  program.Send(SIGKILL);
  CHECK(program.Wait(kLimit) == -SIGKILL);
  std::vector<std::string> again = Train(killed.path());
  again.push_back("--resume");
  Program resumed(again);
  CHECK(resumed.Wait(kLimit) == 0);
  CHECK(resumed.said().find("Resumed from") != std::string::npos);
  const std::string want = TextOf(whole.path() + "/metrics.json");
  CHECK(want.size() > 100);
  CHECK(TextOf(killed.path() + "/metrics.json") == want);
}

TEST_CASE("the exit status says whether a list is a user's own",
          "[examples][recommender][program]") {
  const TemporaryDirectory out;
  const auto ask = [&](std::vector<std::string> words, std::string& said) {
    words.insert(words.begin(), LONGTAIL_RECOMMENDER);
    words.insert(words.begin() + 2, kConfig);
    for (const char* const word : {"--out", out.path().c_str()}) words.emplace_back(word);
    Program program(words);
    const int status = program.Wait(kLimit);
    said = program.said();
    return status;
  };
  std::string said;
  CHECK(ask({"recommend", "50"}, said) == 1);
  CHECK(said.find("holds no checkpoint: train first") != std::string::npos);
  CHECK(ask({"train", "--epochs", "1"}, said) == 0);
  CHECK(ask({"recommend", "50"}, said) == 0);
  CHECK(said.find("Recommended to user 50") != std::string::npos);
  CHECK(ask({"recommend", "nobody"}, said) == 3);
  CHECK(said.find("Shawshank Redemption, The (1994)") != std::string::npos);
  CHECK(ask({"similar", "toy story 2"}, said) == 0);
  CHECK(said.find("Nearest to Toy Story 2 (1999)") != std::string::npos);
  CHECK(ask({"similar", "no such film"}, said) == 1);
  CHECK(ask({"eval", "--model", "itemknn"}, said) == 0);
  CHECK(said.find("the tail: 0-5 times") != std::string::npos);
}

}  // namespace
}  // namespace longtail::examples::recommender
