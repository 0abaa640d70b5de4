// The list of clients: what it says, and which mistakes are named where.
#include "io/client_list.h"

#include <catch2/catch.hpp>
#include <string>

namespace longtail {
namespace {

const std::string kOne(40, 'a');
const std::string kThree(40, 'c');
const std::string kTwo = "#" + std::string(39, 'b');  // Keys may begin so.

bool Says(const std::string& text, const std::string& wanted) {
  const absl::Status status = ParseClientList("d/clients", text).status();
  INFO(status.ToString());
  return absl::IsInvalidArgument(status) && status.message().find(wanted) != std::string::npos;
}

TEST_CASE("a list has clients by key, with roles, names and bounds", "[keys]") {
  const auto list = ParseClientList(
      "d/clients", "# who is let in\n\n" + kOne + " worker trainer-a rows_per_second=5000\r\n  " +
                       kTwo + "\treader  web # the app\n" + kThree +
                       " reader b tables=a,b bytes_per_second=7\n");
  REQUIRE(list.ok());
  REQUIRE(list->size() == 3);
  CHECK(list->at(kOne) ==
        Client{.role = Role::kWorker, .name = "trainer-a", .rows_per_second = 5000});
  CHECK(list->at(kTwo) == Client{.role = Role::kReader, .name = "web"});
  CHECK(list->at(kThree) ==
        Client{.role = Role::kReader, .name = "b", .bytes_per_second = 7, .tables = {"a", "b"}});
  CHECK(ParseClientList("d/clients", "")->empty());
}

TEST_CASE("a mistake in a list is named with its line", "[keys]") {
  CHECK(
      Says("\n" + kOne + " worker\n", "'d/clients' line 2: want a public key, a role and a name"));
  CHECK(Says("short worker a\n", "line 1: 'short': want the 40 characters"));
  CHECK(Says(std::string(39, 'a') + "~ worker a\n", "want the 40 characters"));
  CHECK(Says(kOne + " server a\n", "role 'server': want reader, worker or operator"));
  CHECK(Says(kOne + " Worker a\n", "role 'Worker'"));
  CHECK(Says(kOne + " worker " + std::string(65, 'n') + "\n", "want at most 64 characters"));
  CHECK(Says(kOne + " worker a rows_per_second=0\n", "want rows_per_second=N"));
  CHECK(Says(kOne + " worker a rows=5\n", "'rows=5': want rows_per_second=N"));
  CHECK(Says(kOne + " worker a bytes_per_second=-1\n", "'bytes_per_second=-1': want rows"));
  CHECK(Says(kOne + " worker a tables=\n", "'tables=': want"));
  CHECK(Says(kOne + " worker a tables=b,\n", "'tables=b,': want"));
  CHECK(
      Says(kOne + " worker a\n" + kOne + " reader b\n", "line 2: key " + kOne + " is there twice"));
}

}  // namespace
}  // namespace longtail
