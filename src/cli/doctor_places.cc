#include "cli/doctor_places.h"

#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "cli/number_text.h"
#include "io/open_meta_store.h"
#include "io/open_store.h"
#include "io/store_address.h"
#include "io/this_process.h"
#include "protocol/coordinator_state.h"
#include "server/coordinator_core.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoomMin = std::uint64_t{64} << 20;
constexpr std::uint64_t kRoomFew = std::uint64_t{1} << 30;
constexpr std::uint64_t kInodesMin = 1000;
constexpr double kRoomShareFew = 0.05;
constexpr absl::Duration kSlow = absl::Milliseconds(250);
// As <linux/magic.h> has them.
constexpr auto kTmpfs = 0x01021994;
constexpr auto kOverlay = 0x794c7630;

// What an error says, and what to do about it: the words are those of the stores.
struct Fix {
  const char* words;
  const char* fix;
};
constexpr std::array kFixes = {
    Fix{"know no such user", "`ceph auth get client.USER`, and copy that key into the keyring"},
    Fix{"no monitor of",
        "look at the addresses of conf or mon, at ports 3300 and 6789, and at the "
        "network's policy"},
    Fix{"no pool '", "mend the pool's name, or `ceph osd pool create POOL`"},
    Fix{"may not: want its caps",
        "`ceph auth caps client.USER mon 'allow r' osd 'allow rwx "
        "pool=POOL'`"},
    Fix{"reached its quota",
        "`ceph osd pool set-quota`, or `longtail ckpt gc` for old checkpoints"},
    Fix{"are full", "more OSDs, or `longtail ckpt gc` for old checkpoints"},
    Fix{"have it on OSD", "`ceph osd tree`, and that OSD's log"},
    Fix{"the monitors do not answer either", "look at the network, and `ceph health`"},
    Fix{"built without", "install a build with that store (LONGTAIL_RADOS, LONGTAIL_ETCD)"},
    Fix{"ead-only file system", "mount it for writing, or name another place"},
    Fix{"ermission denied",
        "give it to the user that the program runs as: chown, chmod; in "
        "Kubernetes securityContext.fsGroup"},
    Fix{"peration not permitted",
        "no directory can be made there: chown, chmod, or name another place"},
    Fix{"is a file", "name a directory, or remove that file"},
    Fix{"o space left", "free some, `longtail ckpt gc` for old checkpoints, or name a larger disk"},
    Fix{"uota exceeded", "raise the quota, or `longtail ckpt gc` for old checkpoints"},
    Fix{"no key: want [client.", "`ceph auth get client.USER -o KEYRING`, and name that file"},
    Fix{"cannot be read",
        "mend the option of the address that names that file, or who may read it"},
    Fix{"no member of etcd answers",
        "look at the endpoints, at port 2379 and at the network's policy"},
};

std::string RoomText(std::uint64_t bytes) {
  return bytes < kRoomFew ? absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20))
                          : absl::StrFormat("%.1f GiB", static_cast<double>(bytes) / kRoomFew);
}

// Directories that opening a store makes, the deepest first, to be removed again.
std::vector<fs::path> MissingOf(const std::string& directory) {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path at = fs::absolute(directory, error); !error && !fs::exists(at, error);
       at = at.parent_path()) {
    if (!at.filename().empty()) missing.push_back(at);
    if (at == at.root_path()) break;
  }
  return missing;
}

// Every call that a checkpoint, or a log, makes of a store. Gives how long a durable write took.
absl::StatusOr<absl::Duration> Exercise(BlobStore& store) {
  const std::string name = absl::StrCat("doctor-", absl::Hex(DrawIncarnation()), "/probe");
  std::string bytes(4096, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 131 % 251);
  const absl::Time start = absl::Now();
  LONGTAIL_RETURN_IF_ERROR(store.Write(name, bytes));
  const absl::Duration took = absl::Now() - start;
  // Whatever comes of the rest, it is not to stay.
  absl::Status status = store.Extend(name, bytes.size(), bytes);
  if (status.ok()) {
    const absl::StatusOr<std::string> read = store.Read(name);
    status = read.status();
    if (status.ok() && *read != bytes + bytes) {
      status = absl::DataLossError(
          absl::StrCat(store.Describe(), " gives other bytes of '", name, "' than it was given"));
    }
  }
  if (status.ok()) {
    const absl::StatusOr<std::vector<std::string>> names = store.List(name);
    status = names.status();
    if (status.ok() && (names->size() != 1 || (*names)[0] != name)) {
      status = absl::DataLossError(
          absl::StrCat(store.Describe(), " does not list '", name, "', which was written"));
    }
  }
  const absl::Status removed = store.Remove(name);
  LONGTAIL_RETURN_IF_ERROR(status);
  LONGTAIL_RETURN_IF_ERROR(removed);
  return took;
}

void CheckRoom(const std::string& check, const std::string& directory, Findings& findings) {
  struct statvfs room {};
  if (statvfs(directory.c_str(), &room) != 0) return;
  const std::string what = check + "-room";
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  const std::uint64_t total = std::uint64_t{room.f_blocks} * room.f_frsize;
  const std::string seen = absl::StrCat(RoomText(free), " free of ", RoomText(total));
  const std::string fix =
      "free some (`longtail ckpt gc` for old checkpoints), or name a larger "
      "disk; `longtail plan` tells what checkpoints and logs take";
  const bool has_inodes = room.f_files != 0;
  if (free < kRoomMin || (has_inodes && room.f_favail < kInodesMin)) {
    return findings.Fail(what, directory,
                         free < kRoomMin ? seen : absl::StrCat(room.f_favail, " files free"), fix);
  }
  if (free < kRoomFew || static_cast<double>(free) < kRoomShareFew * static_cast<double>(total)) {
    return findings.Warn(what, directory, seen, fix);
  }
  findings.Ok(what, directory, seen);
}

void CheckKind(const std::string& check, const std::string& directory, Findings& findings) {
  struct statfs kind {};
  if (statfs(directory.c_str(), &kind) != 0) return;
  const std::string what = check + "-kind";
  const std::string fix =
      "name a directory on a disk; in a container, one that a volume is mounted at";
  if (kind.f_type == kTmpfs) {
    return findings.Warn(what, directory, "in memory (tmpfs): gone when the machine starts again",
                         fix);
  }
  if (kind.f_type == kOverlay) {
    return findings.Warn(what, directory, "in a container's own layer: gone with the container",
                         fix);
  }
}

// Opens, uses, closes.
absl::StatusOr<absl::Duration> OpenAndExercise(const std::string& address) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenStore(address));
  return Exercise(*store);
}

void CheckStateValue(const std::string& address, Findings& findings) {
  const auto fail = [&](const absl::Status& status) {
    const std::string problem(status.message());
    findings.Fail("state", address, problem, StoreFix("state", address, problem));
  };
  const absl::StatusOr<std::unique_ptr<MetaStore>> values = OpenMetaStore(address);
  if (!values.ok()) return fail(values.status());
  const absl::StatusOr<MetaValue> value = (*values)->Read(server::kCoordinatorStateName);
  if (!value.ok()) return fail(value.status());
  if (value->version == 0 || value->bytes.starts_with("no state yet")) {
    return findings.Ok("state", address, "no coordinator's state yet");
  }
  const absl::StatusOr<CoordinatorState> state =
      DecodeCoordinatorState("coordinator's state", AsBytes(value->bytes));
  if (!state.ok()) {
    return findings.Fail(
        "state", address, std::string(state.status().message()),
        "another version of Longtail wrote it, or it is damaged: use that version, or begin with "
        "an empty --state and `--resume` the training from its newest checkpoint");
  }
  findings.Ok("state", address,
              absl::StrCat("of a cluster of ", CountedText(state->server_count, "server"), ", ",
                           CountedText(state->map.tables.size(), "table"), ", map version ",
                           state->map.version));
}

}  // namespace

std::string StoreFix(const std::string& check, const std::string& address,
                     const std::string& problem) {
  for (const Fix& fix : kFixes) {
    if (problem.find(fix.words) != std::string::npos) return fix.fix;
  }
  return absl::StrCat("mend --", check, " ", address,
                      ", or what it leads to: docs/CLUSTER.md says "
                      "what addresses there are");
}

void CheckStore(const std::string& check, const std::string& address, Findings& findings) {
  const absl::StatusOr<StoreAddress> parts = ParseStoreAddress(address);
  if (!parts.ok()) {
    return findings.Fail(check, address, std::string(parts.status().message()),
                         absl::StrCat("--", check, " DIRECTORY, or rados://POOL[/NAMESPACE]"));
  }
  const bool is_directory = parts->scheme == "file";
  const std::vector<fs::path> missing =
      is_directory ? MissingOf(parts->place) : std::vector<fs::path>();
  const absl::StatusOr<absl::Duration> took = OpenAndExercise(address);
  if (!took.ok()) {
    const std::string problem(took.status().message());
    findings.Fail(check, address, problem, StoreFix(check, address, problem));
  } else {
    const std::string seen =
        absl::StrCat("written, read, appended, listed, removed; a durable write takes ",
                     absl::FormatDuration(absl::Trunc(*took, absl::Microseconds(10))),
                     missing.empty() ? "" : "; the directory is not there yet, and can be made");
    if (*took > kSlow) {
      findings.Warn(check, address, seen,
                    "a push waits for that with logs: look at what else uses the disk or the pool");
    } else {
      findings.Ok(check, address, seen);
    }
    if (is_directory) {
      CheckRoom(check, parts->place, findings);
      CheckKind(check, parts->place, findings);
    }
  }
  std::error_code ignored;  // One that others have come to use meanwhile is not empty, and stays.
  for (const fs::path& directory : missing) fs::remove(directory, ignored);
}

void CheckState(const std::string& address, Findings& findings) {
  if (address.starts_with("etcd:")) return CheckStateValue(address, findings);
  const std::size_t failed = findings.Count(Grade::kFail);
  CheckStore("state", address, findings);
  if (findings.Count(Grade::kFail) != failed) return;
  const absl::StatusOr<StoreAddress> parts = ParseStoreAddress(address);
  // (Opening makes the directory; where there is none there is no state either.)
  if (parts->scheme == "file" && !fs::exists(parts->place)) return;
  CheckStateValue(address, findings);
}

}  // namespace longtail::cli
