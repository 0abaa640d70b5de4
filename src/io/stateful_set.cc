#include "io/stateful_set.h"

#include <curl/curl.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20;
constexpr long kOk = 200;
constexpr long kUnauthorized = 401;
constexpr long kForbidden = 403;
constexpr long kNotFound = 404;

std::size_t Append(char* data, std::size_t size, std::size_t count, void* out) {
  auto& text = *static_cast<std::string*>(out);
  if (text.size() + size * count > kAnswerBytesMax) return 0;  // Ends the transfer as failed.
  text.append(data, size * count);
  return size * count;
}

absl::StatusOr<std::string> ReadLine(const std::string& begin, const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (file.is_open() && std::getline(file, line) && !line.empty()) return line;
  return absl::NotFoundError(absl::StrCat(
      begin, "'", path, "' is not there: want a pod with automountServiceAccountToken"));
}

}  // namespace

absl::StatusOr<std::uint32_t> ReadReplicas(const StatefulSet& set, absl::Duration timeout) {
  const std::string begin = absl::StrCat("StatefulSet '", set.name, "': ");
  LONGTAIL_ASSIGN_OR_RETURN(const std::string space, ReadLine(begin, set.account + "/namespace"));
  // Read each time: Kubernetes replaces it.
  LONGTAIL_ASSIGN_OR_RETURN(const std::string token, ReadLine(begin, set.account + "/token"));
  const std::string authority = set.account + "/ca.crt";
  const std::string url = absl::StrCat(set.api, "/apis/apps/v1/namespaces/", space,
                                       "/statefulsets/", set.name, "/scale");
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, absl::StrCat("Authorization: Bearer ", token).c_str()),
      &curl_slist_free_all);
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_CAINFO, authority.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);  // That one alone vouches for the API.
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  const absl::Duration wait = std::max(timeout, absl::Milliseconds(1));
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(wait)));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);  // Its threads must not take our signals.
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");     // What the environment says is not for it.
  const CURLcode outcome = curl_easy_perform(curl.get());
  if (outcome != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat(begin, url, ": ", curl_easy_strerror(outcome),
                                               "; asked for ", absl::FormatDuration(wait)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const std::string refusal =
      absl::StrCat(begin, url, ": HTTP status ", status, ": ", answer.substr(0, 300));
  if (status == kUnauthorized || status == kForbidden) {
    return absl::PermissionDeniedError(absl::StrCat(
        refusal, "; want a Role with get of statefulsets/scale, bound to the pod's account"));
  }
  if (status == kNotFound) return absl::NotFoundError(refusal);
  if (status != kOk) return absl::UnavailableError(refusal);
  const nlohmann::json scale = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!scale.is_object() || scale.value("kind", "") != "Scale" || !scale.contains("spec")) {
    return absl::InvalidArgumentError(
        absl::StrCat(begin, url, ": the answer is no Scale: ", answer.substr(0, 300)));
  }
  // Left out where it is 0.
  const nlohmann::json& spec = scale["spec"];
  if (!spec.is_object() || !spec.contains("replicas")) return 0;
  const nlohmann::json& replicas = spec["replicas"];
  if (replicas.is_number_unsigned() &&
      replicas.get<std::uint64_t>() <= std::numeric_limits<std::int32_t>::max()) {
    return replicas.get<std::uint32_t>();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(begin, url, ": replicas ", replicas.dump().substr(0, 80), ": want a number"));
}

}  // namespace longtail
