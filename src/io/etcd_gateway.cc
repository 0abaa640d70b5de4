#include "io/etcd_gateway.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace longtail {

using Json = nlohmann::json;

namespace {

constexpr absl::Duration kMemberTimeout = absl::Seconds(3);
constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);
constexpr std::size_t kAnswerBytesMax = std::size_t{8} << 20;
constexpr long kStatusOk = 200;

// Codes of gRPC, which the gateway puts into an error's JSON.
constexpr int kInvalidArgument = 3;
constexpr int kNotFound = 5;
constexpr int kPermissionDenied = 7;
constexpr int kResourceExhausted = 8;
constexpr int kUnauthenticated = 16;

// The gateway wants bytes in base 64 and 64-bit numbers as text.
std::string InBase64(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

std::uint64_t NumberOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return 0;  // Zeros are left out.
  const auto& text = found->get_ref<const std::string&>();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

absl::StatusOr<Json> Parsed(const std::string& place, const absl::StatusOr<std::string>& answer) {
  LONGTAIL_RETURN_IF_ERROR(answer.status());
  Json json = Json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return absl::UnavailableError(absl::StrCat(place,
                                             ": the answer is no JSON object: want etcd's "
                                             "gateway at this address"));
}

std::size_t Append(char* data, std::size_t size, std::size_t count, void* out) {
  auto& text = *static_cast<std::string*>(out);
  if (text.size() + size * count > kAnswerBytesMax) return 0;  // Ends the transfer as failed.
  text.append(data, size * count);
  return size * count;
}

absl::Status Refusal(const std::string& begin, long http_status, const std::string& answer) {
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  int code = 0;
  std::string words = answer.substr(0, 200);
  if (json.is_object()) {
    code = json.value("code", 0);
    if (json.contains("error") && json["error"].is_string()) words = json["error"];
  }
  const std::string message = absl::StrCat(begin, "HTTP status ", http_status, ": ", words);
  switch (code) {
    case kInvalidArgument:
      return absl::InvalidArgumentError(message);
    case kNotFound:
      return absl::NotFoundError(message);
    case kPermissionDenied:
    case kUnauthenticated:
      return absl::PermissionDeniedError(message);
    case kResourceExhausted:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace

struct EtcdGateway::Connection {
  Connection() : curl(curl_easy_init()) {
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");  // Else a large body waits a second for it.
  }
  ~Connection() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  CURL* const curl;
  curl_slist* headers = nullptr;
};

EtcdGateway::EtcdGateway(EtcdAddress address)
    : address_(std::move(address)), connection_(std::make_unique<Connection>()) {}

EtcdGateway::~EtcdGateway() = default;

absl::StatusOr<std::string> EtcdGateway::Post(const std::string& path, const std::string& request) {
  const MutexLock lock(&mutex_);
  const absl::Time until = absl::Now() + address_.timeout;
  std::string silent;
  for (std::size_t attempt = 0;; ++attempt) {
    const std::string& member = address_.endpoints[member_];
    const absl::Duration left = until - absl::Now();
    const absl::Duration wait =
        std::max(absl::Milliseconds(1),
                 address_.endpoints.size() > 1 ? std::min(left, kMemberTimeout) : left);
    const std::string url = absl::StrCat("http://", member, path);
    std::string answer;
    CURL* const curl = connection_->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, connection_->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.size()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(wait)));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // Its threads must not take our signals.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");     // What the environment says is not for etcd.
    const CURLcode outcome = curl_easy_perform(curl);
    if (outcome == CURLE_OK) {
      long http_status = 0;
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
      if (http_status == kStatusOk) return answer;
      absl::Status refusal = Refusal(absl::StrCat(address_.place(), ": "), http_status, answer);
      if (!absl::IsUnavailable(refusal)) return refusal;
      silent = std::string(refusal.message());
    } else {
      silent = absl::StrCat(address_.place(), ": ", member, ": ", curl_easy_strerror(outcome));
    }
    member_ = (member_ + 1) % address_.endpoints.size();
    if (absl::Now() + kRetryAfter >= until) {
      return absl::UnavailableError(absl::StrCat("no member of etcd answers within ",
                                                 absl::FormatDuration(address_.timeout), ": ",
                                                 silent));
    }
    if ((attempt + 1) % address_.endpoints.size() == 0) absl::SleepFor(kRetryAfter);
  }
}

absl::StatusOr<EtcdGateway::Value> EtcdGateway::Get(const std::string& key) {
  LONGTAIL_ASSIGN_OR_RETURN(
      const Json answer,
      Parsed(address_.place(), Post("/v3/kv/range", Json{{"key", InBase64(key)}}.dump())));
  Value value;
  if (!answer.contains("kvs") || !answer["kvs"].is_array() || answer["kvs"].empty()) return value;
  const Json& found = answer["kvs"][0];
  value.mod_revision = NumberOf(found, "mod_revision");
  if (found.contains("value") && found["value"].is_string() &&
      !absl::Base64Unescape(found["value"].get<std::string>(), &value.bytes)) {
    return absl::UnavailableError(
        absl::StrCat(address_.place(), ": the value of '", key, "' is not in base 64"));
  }
  return value;
}

absl::StatusOr<std::uint64_t> EtcdGateway::Replace(const Replacement& replacement) {
  const std::string key = InBase64(replacement.key);
  const bool is_new = replacement.expected == 0;
  Json put{{"key", key}, {"value", InBase64(replacement.bytes)}};
  if (replacement.lease != 0) put["lease"] = absl::StrCat(replacement.lease);
  const Json request{
      {"compare",
       {{{"key", key},
         {"result", "EQUAL"},
         {"target", is_new ? "CREATE" : "MOD"},
         {is_new ? "create_revision" : "mod_revision", absl::StrCat(replacement.expected)}}}},
      {"success", {{{"request_put", put}}}}};
  LONGTAIL_ASSIGN_OR_RETURN(const Json answer,
                            Parsed(address_.place(), Post("/v3/kv/txn", request.dump())));
  if (!answer.value("succeeded", false)) return 0;
  const std::uint64_t revision =
      answer.contains("header") ? NumberOf(answer["header"], "revision") : 0;
  if (revision != 0) return revision;
  return absl::UnavailableError(absl::StrCat(address_.place(), ": the answer has no revision"));
}

absl::StatusOr<std::uint64_t> EtcdGateway::GrantLease(absl::Duration duration) {
  const Json request{{"TTL", absl::StrCat(absl::ToInt64Seconds(duration))}};
  LONGTAIL_ASSIGN_OR_RETURN(const Json answer,
                            Parsed(address_.place(), Post("/v3/lease/grant", request.dump())));
  const std::uint64_t lease = NumberOf(answer, "ID");
  if (lease != 0) return lease;
  return absl::UnavailableError(absl::StrCat(address_.place(), ": the answer names no lease"));
}

absl::Status EtcdGateway::KeepLease(std::uint64_t lease) {
  const Json request{{"ID", absl::StrCat(lease)}};
  LONGTAIL_ASSIGN_OR_RETURN(const Json answer,
                            Parsed(address_.place(), Post("/v3/lease/keepalive", request.dump())));
  const bool has_result = answer.contains("result") && answer["result"].is_object();
  if (has_result && NumberOf(answer["result"], "TTL") != 0) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(address_.place(), ": lease ", lease, " has ended"));
}

absl::Status EtcdGateway::RevokeLease(std::uint64_t lease) {
  const Json request{{"ID", absl::StrCat(lease)}};
  return Post("/v3/lease/revoke", request.dump()).status();
}

}  // namespace longtail
