#include "io/eviction_audit.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "server/scratch_directory.h"

namespace longtail {
namespace {

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<EvictedKeys> Sample() {
  return {
      {.table = "item",
       .keys = {{.key = ~Key{0},
                 .reason = EvictionReason::kScore,
                 .count = 3,
                 .last_step = 4,
                 .step = 5},
                {.key = 0, .count = 1, .last_step = 2, .step = 5}},
       .left_out = 0},
      {.table = "user",
       .keys = {{.key = 7,
                 .reason = EvictionReason::kBudget,
                 .count = 0xFFFFFFFF,
                 .last_step = 8,
                 .step = 9},
                {.key = 8, .reason = EvictionReason::kNorm, .count = 2, .last_step = 1, .step = 9}},
       .left_out = 0}};
}

const std::string kHeader = "table\tkey\treason\tcount\tlast_step\tstep\n";
const std::string kLines =
    "item\t18446744073709551615\tscore\t3\t4\t5\n"
    "item\t0\tidle\t1\t2\t5\n"
    "user\t7\tbudget\t4294967295\t8\t9\n"
    "user\t8\tnorm\t2\t1\t9\n";

TEST_CASE("each key evicted is a line, and a file that is there is continued",
          "[io][eviction_audit]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/lane.tsv";
  for (const std::string& want : {kHeader + kLines, kHeader + kLines + kLines}) {
    auto audit = EvictionAudit::Open(path);
    REQUIRE(audit.ok());
    (*audit)->Append({});
    (*audit)->Append(Sample());
    CHECK(TextOf(path) == want);  // At once: not when it is closed.
    CHECK((*audit)->unaudited() == 0);
  }
}

TEST_CASE("keys that an audit cannot write are counted, as are those left out before",
          "[io][eviction_audit]") {
  const test::ScratchDirectory directory;
  const std::string path = directory.path() + "/lane.tsv";
  auto audit = EvictionAudit::Open(path);
  REQUIRE(audit.ok());
  std::vector<EvictedKeys> evictions = Sample();
  evictions[0].left_out = 90;
  (*audit)->Append(evictions);
  CHECK((*audit)->unaudited() == 90);

  // The disk is full from here on.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{.rlim_cur = kHeader.size() + kLines.size(), .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &full) == 0);
  (*audit)->Append(Sample());
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);

  CHECK((*audit)->unaudited() == 94);
  (*audit)->Append(Sample());
  CHECK((*audit)->unaudited() == 94);
  CHECK(TextOf(path) == kHeader + kLines + kLines);
}

TEST_CASE("an audit that cannot begin says why", "[io][eviction_audit]") {
  const test::ScratchDirectory directory;
  const auto audit = EvictionAudit::Open(directory.path() + "/nowhere/lane.tsv");
  CHECK(absl::IsUnavailable(audit.status()));
  CHECK(audit.status().ToString().find("nowhere/lane.tsv': No such file") != std::string::npos);
  CHECK_FALSE(EvictionAudit::Open("/dev/full").ok());
}

}  // namespace
}  // namespace longtail
