// Addresses of stores.
#include "io/open_store.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "io/etcd_stores.h"
#include "io/file_meta_store.h"
#include "io/open_meta_store.h"
#include "io/rados_stores.h"
#include "io/store_lock.h"

namespace longtail {
namespace {

namespace fs = std::filesystem;

// A path that is free before and after.
struct FreePath {
  FreePath()
      : path((fs::temp_directory_path() / ("longtail-open-" + std::to_string(::getpid())))
                 .string()) {
    fs::remove_all(path);
  }
  ~FreePath() { fs::remove_all(path); }
  const std::string path;
};

TEST_CASE_METHOD(FreePath, "a store is opened by its directory, which is made",
                 "[io][open_store]") {
  const std::string address = GENERATE("", "file:");

  const auto store = OpenStore(address + path + "/deep");

  REQUIRE(store.ok());
  CHECK((*store)->Describe() == "file:" + path + "/deep");
  CHECK(fs::is_directory(path + "/deep"));
}

TEST_CASE("an address of another scheme, or of none, is refused", "[io][open_store]") {
  const std::string address =
      GENERATE("s3:bucket", "s3://bucket", "etcd://h:1/a", "rados://?x=y", "http:", "", "file:");

  const absl::Status status = OpenStore(address).status();
  const absl::Status existing = OpenExistingStore(address).status();
  const absl::Status meta = OpenMetaStore(address).status();

  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("store '" + address + "'") != std::string::npos);
  CHECK(existing == status);
  if (address != "etcd://h:1/a") CHECK(absl::IsInvalidArgument(meta));
}

TEST_CASE("the schemes that there are are told", "[io][open_store]") {
  CHECK(OpenStore("s3://bucket").status().message() ==
        "store 's3://bucket': scheme 's3': want a directory, file:DIRECTORY or "
        "rados://POOL[/NAMESPACE]");
  CHECK(OpenMetaStore("s3://bucket").status().message() ==
        "state 's3://bucket': scheme 's3': want a directory, file:DIRECTORY, "
        "rados://POOL[/NAMESPACE] or etcd://HOST:PORT[,HOST:PORT...]/PREFIX");
}

TEST_CASE("a store whose library was not there to build with says so", "[io][open_store]") {
  const absl::Status rados = OpenStore("rados://pool?conf=/none").status();
  const absl::Status rados_state = OpenMetaStore("rados://pool?conf=/none").status();
  const absl::Status rados_lock = StoreLock::Acquire("rados://pool?conf=/none", "x").status();
  const absl::Status etcd = OpenMetaStore("etcd://h:1").status();
  const absl::Status etcd_lock = StoreLock::Acquire("etcd://h:1", "x").status();

  for (const absl::Status& status : {rados, rados_state, rados_lock}) {
    INFO(status.ToString());
    if (!absl::IsUnimplemented(status)) {
      CHECK(absl::IsInvalidArgument(status));  // There is no such configuration.
    } else {
      CHECK(std::string(status.message()).find("librados-dev") != std::string::npos);
    }
  }
  for (const absl::Status& status : {etcd, etcd_lock}) {
    INFO(status.ToString());
    if (!absl::IsUnimplemented(status)) {
      CHECK(absl::IsInvalidArgument(status));  // There is no prefix.
    } else {
      CHECK(std::string(status.message()).find("libcurl4-openssl-dev") != std::string::npos);
    }
  }
}

TEST_CASE_METHOD(FreePath, "a store that must be there is not made", "[io][open_store]") {
  const absl::Status status = OpenExistingStore("file:" + path).status();

  CHECK(absl::IsNotFound(status));
  CHECK(std::string(status.message()).find(path) != std::string::npos);
  CHECK_FALSE(fs::exists(path));
  fs::create_directory(path);
  CHECK(OpenExistingStore("file:" + path).ok());
}

TEST_CASE("a file in the way of a store is named", "[io][open_store]") {
  const absl::Status status = OpenStore("/dev/null/store").status();

  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("/dev/null") != std::string::npos);
}

}  // namespace
}  // namespace longtail
