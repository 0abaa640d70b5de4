#include "checkpoint/output_file.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::checkpoint {
namespace {

using test::Must;
using test::Says;

TEST_CASE("a file is there when it is whole, in the place of the one before",
          "[checkpoint][output_file]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/out";
  test::WriteWhole(path, "old");
  {
    const auto file = Must(OutputFile::Create(path));
    Must(file->Append("0123456789"));
    Must(file->Patch(2, "xy"));
    Must(file->Append("abc"));
    Must(file->Patch(12, "Z"));
    CHECK(test::ReadWhole(path) == "old");
    Must(file->Finish());
  }
  CHECK(test::ReadWhole(path) == "01xy456789abZ");
  CHECK_FALSE(std::filesystem::exists(path + "~"));
}

TEST_CASE("more than a buffer is written as it was given", "[checkpoint][output_file]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/out";
  const auto file = Must(OutputFile::Create(path));
  std::string want;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(9'973, static_cast<char>('a' + i % 23));
    Must(file->Append(piece));
    want += piece;
  }
  Must(file->Patch(1'500'000, "here"));
  want.replace(1'500'000, 4, "here");
  Must(file->Finish());

  CHECK(test::ReadWhole(path) == want);
}

TEST_CASE("a file that is not finished leaves nothing", "[checkpoint][output_file]") {
  const test::ScratchDirectory directory;
  {
    const auto file = Must(OutputFile::Create(directory.path() + "/out"));
    Must(file->Append("half"));
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("a file that cannot be is refused by name", "[checkpoint][output_file]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/no/out";
  const absl::Status status = OutputFile::Create(path).status();
  CHECK(absl::IsNotFound(status));
  CHECK(Says(status, "creating '" + path + "~': No such file"));
  CHECK(Says(OutputFile::Create("").status(), "output file '': want a name"));
}

TEST_CASE("a full disk is told", "[checkpoint][output_file]") {
  const test::ScratchDirectory directory;
  std::filesystem::create_symlink("/dev/full", directory.path() + "/out~");
  const auto file = Must(OutputFile::Create(directory.path() + "/out"));
  Must(file->Append("x"));
  CHECK(absl::IsResourceExhausted(file->Finish()));
}

}  // namespace
}  // namespace longtail::checkpoint
