// A directory's lock is a file of it; what all locks promise is in store_lock_test.cc.
#include "io/file_lock.h"

#include <catch2/catch.hpp>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

TEST_CASE("a directory's lock is a file that names the purpose", "[io][store_lock]") {
  const test::ScratchDirectory directory;
  const auto lock = Must(FileLock::Acquire(directory.path() + "/made", "coordinator"));

  CHECK(std::filesystem::exists(directory / "made/coordinator~lock"));
  CHECK(Says(FileLock::Acquire(directory.path() + "/made", "coordinator").status(),
             "'" + directory.path() + "/made' is in use by another coordinator, process "));
}

TEST_CASE("a lock where no directory can be is refused", "[io][store_lock]") {
  const test::ScratchDirectory directory;
  test::WriteWhole(directory / "file", "x");

  CHECK(absl::IsInvalidArgument(
      FileLock::Acquire(directory.path() + "/file", "coordinator").status()));
  CHECK(absl::IsInvalidArgument(StoreLock::Acquire("s3://bucket/a", "coordinator").status()));
}

}  // namespace
}  // namespace longtail
