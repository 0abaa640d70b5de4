#include "io/rados_pool.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

// Monitors that are there answer within milliseconds.
constexpr absl::Duration kMonitorTimeout = absl::Seconds(5);

std::string Reason(int error) {
  return std::generic_category().message(-error);
}

std::string Whole(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Seconds(duration));
}

// A key that is not there would be refused as a wrong one.
absl::Status CheckReadable(const std::string& place, const char* what, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(place, ": ", what, " '", path, "' cannot be read: ", Reason(-errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RadosPool>> RadosPool::Connect(const RadosAddress& address) {
  const std::string place = address.place();
  LONGTAIL_RETURN_IF_ERROR(CheckReadable(place, "configuration", address.conf));
  LONGTAIL_RETURN_IF_ERROR(CheckReadable(place, "keyring", address.keyring));
  LONGTAIL_RETURN_IF_ERROR(CheckReadable(place, "keyfile", address.key_file));
  std::unique_ptr<RadosPool> pool(new RadosPool(address));
  if (const int error = rados_create(&pool->cluster_, address.user.c_str()); error < 0) {
    return absl::UnavailableError(absl::StrCat(place, ": librados: ", Reason(error)));
  }
  LONGTAIL_RETURN_IF_ERROR(pool->Configure());
  LONGTAIL_RETURN_IF_ERROR(pool->Open());
  return pool;
}

absl::Status RadosPool::Configure() {
  if (!address_.conf.empty() || address_.monitors.empty()) {
    const char* const path = address_.conf.empty() ? nullptr : address_.conf.c_str();
    if (const int error = rados_conf_read_file(cluster_, path); error < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          address_.place(), ": configuration '",
          path == nullptr ? "ceph.conf in /etc/ceph, ~/.ceph or here" : path, "': ", Reason(error),
          ": want option conf=FILE, or mon=HOST:PORT with keyring=FILE"));
    }
  }
  const absl::Duration monitor_timeout = std::min(address_.timeout, kMonitorTimeout);
  const double seconds = absl::ToDoubleSeconds(address_.timeout);
  std::vector<std::pair<const char*, std::string>> settings{
      {"client_mount_timeout", Whole(std::min(address_.timeout, 2 * kMonitorTimeout))},
      {"rados_mon_op_timeout", Whole(monitor_timeout)},
      {"rados_osd_op_timeout", Whole(address_.timeout)},
      // How soon one that waits asks for a newer map, and how often it looks whether to. That must
      // be well within its timeout, or an OSD that was started again is not found: each operation
      // ends before it would ask.
      {"objecter_timeout", absl::StrCat(std::min(1.0, seconds / 4))},
      {"objecter_tick_interval", absl::StrCat(std::min(0.5, seconds / 8))},
      // What goes wrong is told to the caller, not to the terminal.
      {"log_to_stderr", "false"},
      {"err_to_stderr", "false"},
  };
  if (!address_.monitors.empty()) settings.emplace_back("mon_host", address_.monitors);
  if (!address_.keyring.empty()) settings.emplace_back("keyring", address_.keyring);
  if (!address_.key_file.empty()) settings.emplace_back("keyfile", address_.key_file);
  for (const auto& [name, value] : settings) {
    if (const int error = rados_conf_set(cluster_, name, value.c_str()); error < 0) {
      return absl::InvalidArgumentError(absl::StrCat(address_.place(), ": librados refuses ", name,
                                                     " = '", value, "': ", Reason(error)));
    }
  }
  return absl::OkStatus();
}

absl::Status RadosPool::Open() {
  if (const int error = rados_connect(cluster_); error < 0) return ConnectProblem(error);
  const int error = rados_ioctx_create(cluster_, address_.pool.c_str(), &io_);
  if (error == -ENOENT) {
    return absl::NotFoundError(absl::StrCat(address_.place(), ": no pool '", address_.pool,
                                            "': the cluster has [", PoolNames(), "]"));
  }
  if (error < 0) return Problem(error, "opening pool", address_.pool);
  if (!address_.name_space.empty()) rados_ioctx_set_namespace(io_, address_.name_space.c_str());
  // Else what is written to a full pool waits, for hours if it must. And what is removed, too.
  rados_set_pool_full_try(io_);
  return absl::OkStatus();
}

RadosPool::~RadosPool() {
  if (io_ != nullptr) rados_ioctx_destroy(io_);
  if (cluster_ != nullptr) rados_shutdown(cluster_);
}

absl::Status RadosPool::ConnectProblem(int error) const {
  const std::string source =
      !address_.keyring.empty()
          ? absl::StrCat("keyring '", address_.keyring, "'")
          : (!address_.key_file.empty() ? absl::StrCat("keyfile '", address_.key_file, "'")
                                        : "the keyring that the configuration names");
  const std::string begin =
      absl::StrCat(address_.place(), ": connecting as 'client.", address_.user, "': ");
  switch (error) {
    case -EACCES:
    case -EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          begin, "the monitors know no such user, or with another key than that of ", source));
    case -ENOENT:
      return absl::PermissionDeniedError(absl::StrCat(begin, "no key: want [client.", address_.user,
                                                      "] in ", source, ", or other monitors"));
    case -ETIMEDOUT: {
      std::string monitors = address_.monitors;
      if (monitors.empty()) {
        monitors.resize(4096);
        if (rados_conf_get(cluster_, "mon_host", monitors.data(), monitors.size()) < 0) {
          monitors.clear();
        }
        monitors.resize(std::min(monitors.find('\0'), monitors.size()));
      }
      return absl::UnavailableError(
          absl::StrCat(begin, "no monitor of [", monitors, "] answers within ",
                       Whole(std::min(address_.timeout, 2 * kMonitorTimeout)), " s"));
    }
    case -EINVAL:
      return absl::InvalidArgumentError(
          absl::StrCat(begin, "librados takes the monitors' addresses or the key of ", source,
                       " for malformed: ", Reason(error)));
    default:
      return absl::UnavailableError(absl::StrCat(begin, Reason(error)));
  }
}

std::string RadosPool::PoolNames() const {
  std::string names(1 << 16, '\0');
  const int size = rados_pool_list(cluster_, names.data(), names.size());
  std::vector<std::string> pools;
  for (std::size_t begin = 0; size > 0 && begin < names.size() && names[begin] != '\0';) {
    pools.emplace_back(names.c_str() + begin);
    begin += pools.back().size() + 1;
  }
  return absl::StrJoin(pools, ", ");
}

std::string RadosPool::WhoIsSilent(const std::string& object) const {
  const auto quoted = [](const std::string& text) {
    return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}});
  };
  const std::string question = absl::StrCat(
      R"({"prefix": "osd map", "format": "json", "pool": ")", quoted(address_.pool),
      R"(", "nspace": ")", quoted(address_.name_space), R"(", "object": ")", quoted(object), "\"}");
  const char* questions[] = {question.c_str()};
  char* answer = nullptr;
  std::size_t answer_size = 0;
  char* words = nullptr;
  std::size_t words_size = 0;
  const int error = rados_mon_command(cluster_, questions, 1, nullptr, 0, &answer, &answer_size,
                                      &words, &words_size);
  const absl::Cleanup release = [&] {
    rados_buffer_free(answer);
    rados_buffer_free(words);
  };
  if (error == -ETIMEDOUT) return "the monitors do not answer either";
  const std::string_view map(answer == nullptr ? "" : answer, answer_size);
  constexpr std::string_view kActing = R"("acting":[)";
  const std::size_t begin = map.find(kActing);
  if (error < 0 || begin == std::string_view::npos) {
    return absl::StrCat("the monitors answer, but not which OSD has it: ",
                        std::string(words == nullptr ? "" : words, words_size));
  }
  const std::string_view from = map.substr(begin + kActing.size());
  const std::string osds(from.substr(0, from.find(']')));
  return osds.empty() ? "the monitors know of no OSD that is up and has it"
                      : absl::StrCat("the monitors answer and have it on OSD [", osds,
                                     "], which does not, or is down and not missed yet");
}

absl::Status RadosPool::Problem(int error, const std::string& doing,
                                const std::string& object) const {
  const std::string begin = absl::StrCat(address_.place(), ": ", doing, " '", object, "': ");
  switch (error) {
    case -ENOENT:
      return absl::NotFoundError(absl::StrCat(begin, "there is none"));
    case -EACCES:
    case -EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          begin, "user 'client.", address_.user,
          "' may not: want its caps to be mon 'allow r', osd 'allow rwx pool=", address_.pool,
          "'"));
    case -EDQUOT:
      return absl::ResourceExhaustedError(
          absl::StrCat(begin, "pool '", address_.pool,
                       "' has reached its quota: raise it (ceph osd pool set-quota) or remove "
                       "blobs"));
    case -ENOSPC:
      return absl::ResourceExhaustedError(absl::StrCat(begin, "the OSDs of pool '", address_.pool,
                                                       "' are full: add some or remove "
                                                       "blobs"));
    case -ENAMETOOLONG:
      return absl::InvalidArgumentError(
          absl::StrCat(begin, "its name is longer than the OSDs take (osd_max_object_name_len)"));
    case -EMSGSIZE:
    case -EFBIG:
      return absl::InvalidArgumentError(absl::StrCat(
          begin, "it is larger than the OSDs take (osd_max_write_size, osd_max_object_size)"));
    case -EIO:
      return absl::DataLossError(
          absl::StrCat(begin, "the OSD cannot read it: its own checksum or its disk fails"));
    case -ESHUTDOWN:
      return absl::UnavailableError(absl::StrCat(
          begin, "this client is on the cluster's blocklist: start the program again"));
    case -ETIMEDOUT:
      return absl::UnavailableError(absl::StrCat(
          begin, "no answer within ", Whole(address_.timeout), " s: ", WhoIsSilent(object)));
    default:
      return absl::UnavailableError(absl::StrCat(begin, Reason(error)));
  }
}

}  // namespace longtail
