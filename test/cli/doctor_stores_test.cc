// What `longtail doctor` finds of a real Ceph and a real etcd.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/doctor_places.h"
#include "cli/planted_fault.h"
#include "io/open_meta_store.h"
#include "io/open_store.h"
#include "server/cluster_fixture.h"
#include "server/coordinator_core.h"
#include "support/free_port.h"
#include "support/store_place.h"

namespace longtail::cli {
namespace {

using test::CephNode;
using test::CheckFound;
using test::Fault;
using test::Must;
using test::Outcome;
using test::Plant;
using test::StorePlace;

bool Says(const Outcome& outcome, const std::string& text) {
  INFO(outcome.said);
  return outcome.said.find(text) != std::string::npos;
}

// Whichever store there is: its state is read.
TEST_CASE("the doctor reads a coordinator's state", "[cli][doctor]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  Plant plant;
  plant.words = {"--state", place->address()};
  const Outcome none = RunDoctorOf(plant);
  CHECK(none.code == 0);
  CHECK(Says(none, "no coordinator's state yet"));
  const auto values = Must(OpenMetaStore(place->address()));
  Must(values->Swap(server::kCoordinatorStateName, "LTCSnonsense", 0).status());
  CheckFound({"a state that is none",
              [&](Plant& p) {
                p.words = {"--state", place->address()};
              },
              "fail", "state", "another version of Longtail wrote it"});
}

TEST_CASE("the doctor finds what is wrong with Ceph", "[cli][doctor]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr || std::string(LONGTAIL_TEST_STORE) != "rados") return;
  Plant plant;
  plant.words = {"--store", place->address(), "--bundle", plant.path("bundle.tar")};
  const Outcome well = RunDoctorOf(plant);
  CHECK(well.code == 0);
  CHECK(Says(well, "written, read, appended, listed, removed"));
  CHECK(Must(Must(OpenStore(place->address()))->List("")).empty());
  // The bundle has where the keyring is, and not what is in it.
  const std::string keyring = test::ReadWhole(CephNode::Path("client.longtail.keyring"));
  const std::size_t key = keyring.find("key = ") + 6;
  const std::string secret = keyring.substr(key, keyring.find('\n', key) - key);
  REQUIRE(secret.size() > 20);
  const std::string bundle = test::ReadWhole(plant.path("bundle.tar"));
  CHECK(bundle.find("client.longtail.keyring") != std::string::npos);
  CHECK(bundle.find(secret) == std::string::npos);

  const std::string conf = CephNode::Path("ceph.conf");
  const auto store = [](const std::string& address) {
    return [address](Plant& p) { p.words = {"--store", address}; };
  };
  const std::string ring = "&user=longtail&keyring=";
  const std::vector<Fault> faults = {
      {"a wrong key",
       store("rados://longtail/x?conf=" + conf + ring + CephNode::Path("wrong.keyring")), "fail",
       "store", "ceph auth get"},
      {"no such user",
       store("rados://longtail/x?conf=" + conf +
             "&user=nobody&keyring=" + CephNode::Path("client.longtail.keyring")),
       "fail", "store", "ceph auth get"},
      {"a user who may only read", store(place->described() + CephNode::Options("reader")), "fail",
       "store", "ceph auth caps"},
      {"no such pool", store("rados://nowhere/a" + CephNode::Options()), "fail", "store",
       "ceph osd pool create"},
      {"no monitor there",
       store("rados://longtail?mon=127.0.0.1:1&timeout=2" + ring +
             CephNode::Path("client.longtail.keyring")),
       "fail", "store", "ports 3300 and 6789"},
      {"no such file", store("rados://longtail/x?conf=" + plant.path("none.conf")), "fail", "store",
       "names that file"},
      {"no such option", store("rados://longtail/x?pool=y"), "fail", "store", "docs/CLUSTER.md"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
  const CephNode::Away osd("osd.0");
  CheckFound(
      {"an OSD that is away", store(place->With("timeout=3")), "fail", "store", "ceph osd tree"});
}

TEST_CASE("the doctor finds what is wrong with etcd", "[cli][doctor]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr || std::string(LONGTAIL_TEST_STORE) != "etcd") return;
  const std::vector<Fault> faults = {
      {"nobody listens",
       [](Plant& p) {
         p.words = {"--state", absl::StrCat("etcd://127.0.0.1:", test::FreePort(), "/x?timeout=2")};
       },
       "fail", "state", "port 2379"},
      {"no prefix",
       [](Plant& p) {
         p.words = {"--state", "etcd://127.0.0.1:2379"};
       },
       "fail", "state", "--state"},
      {"a place for checkpoints that is none",
       [&](Plant& p) {
         p.words = {"--store", place->address()};
       },
       "fail", "store", "--store"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
}

}  // namespace
}  // namespace longtail::cli
