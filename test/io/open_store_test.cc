// Addresses of stores.
#include "io/open_store.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

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
  const std::string address = GENERATE("s3:bucket", "rados://pool/x", "http:", "", "file:");

  const absl::Status status = OpenStore(address).status();
  const absl::Status existing = OpenExistingStore(address).status();

  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("store '" + address + "'") != std::string::npos);
  CHECK(std::string(status.message()).find("want a directory or file:DIRECTORY") !=
        std::string::npos);
  CHECK(existing == status);
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
