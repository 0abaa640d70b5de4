// Blobs as files: whole or not at all, and never outside the store's directory.
#include "io/file_store.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace longtail {
namespace {

namespace fs = std::filesystem;

// A directory of its own, gone when the test ends.
class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "longtail-file-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::unique_ptr<FileStore> Opened(const std::string& root) {
  absl::StatusOr<std::unique_ptr<FileStore>> store = FileStore::Open(root);
  INFO(store.status().ToString());
  REQUIRE(store.ok());
  return *std::move(store);
}

void Put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

const std::string kBinary("a\0\n\xff z", 6);

TEST_CASE("a store gives back what was written, to the byte", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory / "made/on/the/way/");
  const std::string large(3'000'001, 'x');

  REQUIRE(store->Write("a", kBinary).ok());
  REQUIRE(store->Write("step-1/part.2/b_3", large).ok());
  REQUIRE(store->Write("empty", "").ok());

  CHECK(store->Read("a").value() == kBinary);
  CHECK(store->Read("step-1/part.2/b_3").value() == large);
  CHECK(store->Read("empty").value().empty());
  CHECK(Contents(directory / "made/on/the/way/a") == kBinary);
  CHECK(store->Describe() == "file:" + directory / "made/on/the/way");
  std::string memory = "what was here before";
  for (const char* const name : {"a", "step-1/part.2/b_3", "empty", "a", "a"}) {
    CHECK(store->ReadInto(name, memory).ok());
    CHECK(memory == store->Read(name).value());
  }
}

TEST_CASE("what an interrupted write left behind is no blob", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("d/whole", "1").ok());
  Put(directory / "d/part~", "half of");
  Put(directory / "d/whole~", "a newer version, cut sho");

  CHECK(store->List("").value() == std::vector<std::string>{"d/whole"});
  CHECK(absl::IsNotFound(store->Read("d/part").status()));
  CHECK(store->Read("d/whole").value() == "1");

  REQUIRE(store->Write("d/whole", "2").ok());
  CHECK(store->Read("d/whole").value() == "2");
  CHECK_FALSE(fs::exists(directory / "d/whole~"));
}

TEST_CASE("what interrupted writes left behind is removed, and nothing else", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("s-1/whole", "1").ok());
  REQUIRE(store->Write("s-2/whole", "2").ok());
  Put(directory / "s-1/part~", "half of");
  Put(directory / "s-2/part~", "half of");
  Put(directory / "coordinator~lock", "somebody");

  REQUIRE(store->RemoveUnfinished("s-1/").ok());

  CHECK_FALSE(fs::exists(directory / "s-1/part~"));
  CHECK(fs::exists(directory / "s-2/part~"));
  REQUIRE(store->RemoveUnfinished("").ok());
  CHECK_FALSE(fs::exists(directory / "s-2/part~"));
  CHECK(Contents(directory / "coordinator~lock") == "somebody");
  CHECK(store->List("").value() == std::vector<std::string>{"s-1/whole", "s-2/whole"});
}

TEST_CASE("a name cannot lead out of the directory", "[io][file_store]") {
  const Directory directory;
  Put(directory / "secret", "outside");
  const auto store = Opened(directory / "root");

  CHECK(absl::IsInvalidArgument(store->Write("../secret", "x")));
  CHECK(absl::IsInvalidArgument(store->Read("../secret").status()));
  CHECK(absl::IsInvalidArgument(store->Remove("../secret")));

  CHECK(Contents(directory / "secret") == "outside");
  CHECK(fs::is_empty(directory / "root"));
}

TEST_CASE("a blob that is not there is NotFound, by name", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("d/a", "x").ok());
  const std::string name = GENERATE(values<std::string>({"b", "d", "d/b", "d/a/c", "x/y"}));
  CAPTURE(name);

  const absl::Status read = store->Read(name).status();
  const absl::Status removed = store->Remove(name);

  CHECK(absl::IsNotFound(read));
  CHECK(Mentions(read, directory / name));
  CHECK(absl::IsNotFound(removed));
  CHECK(Mentions(removed, directory / name));
  CHECK(store->Read("d/a").value() == "x");
}

TEST_CASE("removing takes the blob and the directories it leaves empty", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory / "root");
  REQUIRE(store->Write("s-1/p/a", "1").ok());
  REQUIRE(store->Write("s-1/b", "2").ok());

  REQUIRE(store->Remove("s-1/p/a").ok());
  CHECK_FALSE(fs::exists(directory / "root/s-1/p"));
  CHECK(store->Read("s-1/b").value() == "2");
  REQUIRE(store->Remove("s-1/b").ok());

  CHECK(fs::is_empty(directory / "root"));
  CHECK(store->List("").value().empty());
}

TEST_CASE("a file where a directory should be is refused by name", "[io][file_store]") {
  const Directory directory;
  Put(directory / "file", "x");

  const absl::Status at = FileStore::Open(directory / "file").status();
  const absl::Status below = FileStore::Open(directory / "file/root").status();

  CHECK(absl::IsInvalidArgument(at));
  CHECK(Mentions(at, directory / "file"));
  CHECK(absl::IsInvalidArgument(below));
  CHECK(absl::IsInvalidArgument(FileStore::Open("").status()));
  CHECK(absl::IsInvalidArgument(FileStore::Open(std::string("a\0b", 3)).status()));
  const auto store = Opened(directory.path());
  CHECK(absl::IsInvalidArgument(store->Write("file/blob", "y")));
  CHECK(Contents(directory / "file") == "x");
}

TEST_CASE("a fifo or a directory under a blob's name does not hold a reader", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);

  CHECK(absl::IsNotFound(store->Read("pipe").status()));
  CHECK(store->List("").value().empty());
}

TEST_CASE("a write over a directory fails and leaves nothing behind", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("d/a", "x").ok());

  const absl::Status status = store->Write("d", "y");

  CHECK(absl::IsUnavailable(status));
  CHECK(Mentions(status, directory / "d"));
  CHECK_FALSE(fs::exists(directory / "d~"));
  CHECK(store->Read("d/a").value() == "x");
}

TEST_CASE("a blob larger than the limit is refused before it is read", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  Put(directory / "huge", "");
  REQUIRE(::truncate((directory / "huge").c_str(), static_cast<off_t>(kBlobBytesMax + 1)) == 0);

  const absl::Status status = store->Read("huge").status();

  CHECK(absl::IsResourceExhausted(status));
  CHECK(Mentions(status, std::to_string(kBlobBytesMax + 1)));
}

TEST_CASE("a file that may not be read is reported by path", "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("closed", "x").ok());
  REQUIRE(::chmod((directory / "closed").c_str(), 0) == 0);
  const bool as_root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (as_root) {
    REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
    REQUIRE(::seteuid(kNobody) == 0);
  }

  const absl::Status read = store->Read("closed").status();
  const absl::Status written = as_root ? store->Write("new", "x") : absl::UnavailableError("");
  if (as_root) REQUIRE(::seteuid(0) == 0);

  CHECK(absl::IsUnavailable(read));
  CHECK(Mentions(read, directory / "closed"));
  CHECK(absl::IsUnavailable(written));
}

TEST_CASE("a store whose directory went away is Unavailable or makes it again",
          "[io][file_store]") {
  const Directory directory;
  const auto store = Opened(directory / "root");
  fs::remove_all(directory / "root");

  CHECK(absl::IsUnavailable(store->List("").status()));
  CHECK(absl::IsNotFound(store->Read("a").status()));
  CHECK(store->Write("a", "x").ok());
  CHECK(store->Read("a").value() == "x");
}

TEST_CASE("a full disk is ResourceExhausted and the old blob stays", "[io][file_store]") {
  const Directory directory;
  fs::create_directory(directory / "disk");
  const std::string disk = directory / "disk";
  if (::geteuid() != 0 || ::mount("none", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
    std::cout << "[skip] a small file system cannot be mounted here\n";
    return;
  }
  const auto store = Opened(disk);
  const std::string old(100'000, 'o');
  const absl::Status first = store->Write("s/a", old);

  const absl::Status full = store->Write("s/a", std::string(400'000, 'n'));
  const absl::StatusOr<std::string> kept = store->Read("s/a");
  const bool left_over = fs::exists(disk + "/s/a~");
  const absl::Status smaller = store->Write("s/a", "fits");
  const absl::StatusOr<std::string> replaced = store->Read("s/a");
  REQUIRE(::umount2(disk.c_str(), MNT_DETACH) == 0);

  CHECK(first.ok());
  INFO(full.ToString());
  CHECK(absl::IsResourceExhausted(full));
  CHECK(Mentions(full, disk + "/s/a"));
  CHECK(Mentions(full, "400000 bytes"));
  CHECK(kept.value() == old);
  CHECK_FALSE(left_over);
  CHECK(smaller.ok());
  CHECK(replaced.value() == "fits");
}

TEST_CASE("directories that go while a store is listed are nothing to it", "[io][store]") {
  const Directory directory;
  const auto store = Opened(directory.path());
  REQUIRE(store->Write("stays/a/1", "x").ok());
  std::atomic<bool> stop = false;
  // As Remove leaves no empty directories, but without what makes that durable: more often. Many at
  // a time, so that some are named to who lists and gone when it looks into them.
  std::thread changes([&] {
    while (!stop) {
      for (int k = 0; k < 32; ++k)
        ::mkdir((directory / ("goes" + std::to_string(k))).c_str(), 0700);
      for (int k = 0; k < 32; ++k) ::rmdir((directory / ("goes" + std::to_string(k))).c_str());
    }
  });
  for (int i = 0; i < 3000; ++i) {
    const auto names = store->List("");
    if (!names.ok()) stop = true;
    INFO(names.status().ToString());
    CHECK(names.ok());
    if (!names.ok()) break;
    CHECK(std::ranges::find(*names, "stays/a/1") != names->end());
  }
  stop = true;
  changes.join();
}

}  // namespace
}  // namespace longtail
