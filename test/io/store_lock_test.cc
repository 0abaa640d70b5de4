#include "io/store_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include "io/open_store.h"
#include "io/this_process.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

TEST_CASE("a store's lock has one holder, whom the others are told", "[io]") {
  const test::ScratchDirectory directory;
  const std::string store = directory.path() + "/s";
  auto lock = Must(StoreLock::Acquire(store, "coordinator"));

  const absl::Status second = StoreLock::Acquire("file:" + store, "coordinator").status();

  CHECK(absl::IsFailedPrecondition(second));
  CHECK(Says(second, "'" + store + "' is in use by another coordinator, process " + ProcessName()));
  Must(StoreLock::Acquire(store, "other").status());
  CHECK(Must(Must(OpenStore(store))->List("")).empty());
  lock.reset();
  Must(StoreLock::Acquire(store, "coordinator").status());
}

TEST_CASE("a lock ends with its process", "[io]") {
  const test::ScratchDirectory directory;
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = StoreLock::Acquire(directory.path(), "coordinator");
    _exit(lock.ok() ? 0 : 1);
  }
  int status = 1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  Must(StoreLock::Acquire(directory.path(), "coordinator").status());
}

TEST_CASE("a lock where no directory can be is refused", "[io]") {
  const test::ScratchDirectory directory;
  test::WriteWhole(directory / "file", "x");
  CHECK(!StoreLock::Acquire(directory.path() + "/file", "coordinator").ok());
  CHECK(absl::IsInvalidArgument(StoreLock::Acquire("s3:bucket/a", "coordinator").status()));
}

}  // namespace
}  // namespace longtail
