#include "examples/online/prediction_server.h"

#include <civetweb.h>

#include <array>
#include <atomic>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/logistic.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "examples/online/fm_model.h"
#include "longtail/cluster.h"
#include "longtail/pages.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kFeaturesMax = 1000;
constexpr std::size_t kQueryBytesMax = 12'000;
constexpr absl::Duration kShareInterval = absl::Milliseconds(500);

// One version of the model, and what was asked of it.
struct Version {
  std::string name;
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<Worker> reader;
  TableId table{};
  std::atomic<std::uint64_t> answers = 0;
  std::atomic<std::uint64_t> failures = 0;
  std::atomic<double> probability_sum = 0;
};

absl::StatusOr<std::unique_ptr<Version>> OpenVersion(const std::string& name,
                                                     const std::string& place,
                                                     const PredictionOptions& options) {
  auto version = std::make_unique<Version>();
  version->name = name;
  LONGTAIL_ASSIGN_OR_RETURN(
      version->cluster,
      Cluster::Remote({.coordinator = place,
                       .join_timeout = absl::ToChronoMilliseconds(options.join_timeout)}));
  const absl::Time until = absl::Now() + options.join_timeout;
  absl::StatusOr<TableId> table = version->cluster->FindTable(kFeatureTable);
  while (absl::IsNotFound(table.status()) && absl::Now() < until) {  // Its trainer may be about to.
    absl::SleepFor(absl::Milliseconds(200));
    table = version->cluster->FindTable(kFeatureTable);
  }
  LONGTAIL_RETURN_IF_ERROR(table.status());
  version->table = *table;
  LONGTAIL_ASSIGN_OR_RETURN(
      version->reader,
      version->cluster->ConnectReader({.timeout = absl::ToChronoMilliseconds(options.timeout),
                                       .retry_after = std::chrono::milliseconds(300)}));
  LONGTAIL_ASSIGN_OR_RETURN(const TableSpec spec, version->reader->Table(*table));
  if (spec.dim != 1 + options.factors) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", kFeatureTable, "' of '", place, "' has rows of ", spec.dim,
                     " floats: want 1 + --factors, which is ", options.factors));
  }
  return version;
}

struct Query {
  std::string id;
  std::vector<std::string> features;
};

absl::StatusOr<Query> ParseQuery(const char* text) {
  const std::string query = text == nullptr ? "" : text;
  if (query.size() > kQueryBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("query of ", query.size(), " bytes: want at most ", kQueryBytesMax));
  }
  Query parsed;
  std::vector<char> value(query.size() + 1);
  std::stringstream parts(query);
  for (std::string part; std::getline(parts, part, '&');) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const std::string raw = equals == std::string::npos ? "" : part.substr(equals + 1);
    const int size = mg_url_decode(raw.c_str(), static_cast<int>(raw.size()), value.data(),
                                   static_cast<int>(value.size()), 1);
    if (size < 0) return absl::InvalidArgumentError("query: it cannot be decoded");
    std::string decoded(value.data(), static_cast<std::size_t>(size));
    if (name == "id") {
      parsed.id = std::move(decoded);
    } else if (name == "f" && !decoded.empty()) {
      parsed.features.push_back(std::move(decoded));
    } else {
      return absl::InvalidArgumentError("query: want id=ID and f=FEATURE, as often as there are");
    }
  }
  if (parsed.features.empty() || parsed.features.size() > kFeaturesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        parsed.features.size(), " features: want f=FEATURE from once to ", kFeaturesMax, " times"));
  }
  return parsed;
}

class HttpPredictions final : public PredictionServer {
 public:
  explicit HttpPredictions(const PredictionOptions& options) : options_(options) {}
  ~HttpPredictions() override {
    pages_.reset();
    if (context_ != nullptr) mg_stop(context_);
  }

  absl::Status Run() {
    LONGTAIL_ASSIGN_OR_RETURN(versions_[0], OpenVersion("stable", options_.stable, options_));
    if (!options_.candidate.empty()) {
      if (options_.share_file.empty()) {
        return absl::InvalidArgumentError("candidate: want a file with its share of requests");
      }
      LONGTAIL_ASSIGN_OR_RETURN(versions_[1],
                                OpenVersion("candidate", options_.candidate, options_));
    }
    LONGTAIL_RETURN_IF_ERROR(Listen());
    if (options_.admin.empty()) return absl::OkStatus();
    LONGTAIL_ASSIGN_OR_RETURN(
        pages_, Pages::Show({.listen = options_.admin,
                             .figures = [this](Figures& figures) { AddFigures(figures); }}));
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }

 private:
  absl::Status Listen() {
    const std::string& listen = options_.listen;
    const char* settings[] = {"listening_ports",    listen.c_str(), "num_threads", "8",
                              "request_timeout_ms", "5000",         "tcp_nodelay", "1",
                              "enable_keep_alive",  "yes",          nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
    mg_init_data init{
        .callbacks = &callbacks, .user_data = this, .configuration_options = settings};
    std::array<char, 256> text{};
    unsigned code = 0;
    mg_error_data error{.code = &code, .text = text.data(), .text_buffer_size = text.size()};
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("'", listen, "': cannot be listened on: ", text.data()));
    }
    mg_server_port bound{};
    mg_get_server_ports(context_, 1, &bound);
    address_ = absl::StrCat(listen.substr(0, listen.rfind(':')), ":", bound.port);
    mg_set_request_handler(
        context_, "/predict",
        [](mg_connection* connection, void* self) {
          // CivetWeb's threads have a hundred KiB of stack, which an answer may not do with.
          int answered = 0;
          std::thread([&] {
            answered = static_cast<HttpPredictions*>(self)->Answer(connection);
          }).join();
          return answered;
        },
        this);
    return absl::OkStatus();
  }

  int Answer(mg_connection* connection) {
    const mg_request_info* const request = mg_get_request_info(connection);
    if (std::string(request->request_method) != "GET") {
      return Send(connection, 405, {{"error", "want GET"}});
    }
    const absl::StatusOr<Query> query = ParseQuery(request->query_string);
    if (!query.ok()) {
      return Send(connection, 400, {{"error", std::string(query.status().message())}});
    }
    Version& version = *versions_[Candidate(query->id) ? 1 : 0];
    absl::StatusOr<nlohmann::json> answer = Predict(version, *query);
    ++(answer.ok() ? version.answers : version.failures);
    if (!answer.ok()) {
      return Send(connection, 503,
                  {{"error", std::string(answer.status().message())}, {"version", version.name}});
    }
    return Send(connection, 200, *answer);
  }

  bool Candidate(const std::string& id) {
    return versions_[1] != nullptr && IsCandidates(id, Share());
  }

  // What the file says now; while it says nothing that is a percentage, nobody is the candidate's.
  double Share() {
    const MutexLock lock(&mutex_);
    if (absl::Now() < read_share_at_) return share_;
    read_share_at_ = absl::Now() + kShareInterval;
    std::ifstream file(options_.share_file);
    std::stringstream text;
    text << file.rdbuf();
    double share = 0;
    const std::string said(absl::StripAsciiWhitespace(text.str()));
    const bool is_one = absl::SimpleAtod(said, &share) && share >= 0 && share <= 100;
    share_ = is_one ? share : 0;
    return share_;
  }

  absl::StatusOr<nlohmann::json> Predict(Version& version, const Query& query) const {
    const std::uint32_t dim = 1 + options_.factors;
    std::vector<Key> keys;
    AppendKeys(query.features, keys);
    KeyBatch batch;
    LONGTAIL_RETURN_IF_ERROR(version.reader->Prepare(version.table, keys, batch));
    std::vector<float> values(batch.unique_size() * dim);
    std::vector<std::uint32_t> counts(batch.unique_size());
    const PullItem pull{.keys = &batch, .rows = values, .counts = counts};
    LONGTAIL_RETURN_IF_ERROR(version.reader->Pull({&pull, 1}, {.steps_ahead = std::nullopt}));
    std::vector<const float*> rows;
    for (const std::uint32_t row : batch.inverse()) rows.push_back(&values[row * dim]);
    const double logit = FmLogit(rows, dim);
    const double probability = SigmoidOf(logit, std::exp(-std::abs(logit)));
    version.probability_sum += probability;
    nlohmann::json answer = {{"probability", probability}, {"version", version.name}};
    nlohmann::json& features = answer["features"] = nlohmann::json::array();
    for (const std::string& feature : query.features) {
      const Key key = FeatureKeyOf(feature);
      const auto at = std::ranges::find(batch.keys(), key) - batch.keys().begin();
      features.push_back({{"feature", feature}, {"trained", counts[static_cast<std::size_t>(at)]}});
    }
    return answer;
  }

  static int Send(mg_connection* connection, int code, const nlohmann::json& body) {
    // (What is no UTF-8 in a feature comes back as the sign for that.)
    const std::string text =
        body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    mg_printf(connection,
              "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
              "Cache-Control: no-store\r\n\r\n",
              code, code == 200 ? "OK" : "Error", text.size());
    mg_write(connection, text.data(), text.size());
    return code;
  }

  void AddFigures(Figures& figures) {
    const auto of_each = [&](const auto& add) {
      for (const auto& version : versions_) {
        if (version != nullptr) add(*version);
      }
    };
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_predictions_total", "Predictions, by version.",
                      static_cast<double>(v.answers), {{"version", v.name}});
    });
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_failed_predictions_total", "Requests without an answer.",
                      static_cast<double>(v.failures), {{"version", v.name}});
    });
    of_each([&](const Version& v) {
      figures.Counter("longtail_online_probability_sum_total",
                      "Sum of predicted probabilities: by the predictions, their mean.",
                      v.probability_sum, {{"version", v.name}});
    });
    figures.Gauge("longtail_online_candidate_percent", "Share of requests of the candidate.",
                  versions_[1] == nullptr ? 0 : Share());
  }

  const PredictionOptions options_;
  std::array<std::unique_ptr<Version>, 2> versions_;  // The second: null without a candidate.
  mg_context* context_ = nullptr;
  std::string address_;
  Mutex mutex_;
  double share_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time read_share_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::unique_ptr<Pages> pages_;
};

}  // namespace

bool IsCandidates(const std::string& id, double percent) {
  const std::uint64_t hash = XXH3_64bits(id.data(), id.size());
  return static_cast<double>(hash >> 11) * 0x1p-53 * 100 < percent;
}

absl::StatusOr<std::unique_ptr<PredictionServer>> PredictionServer::Start(
    const PredictionOptions& options) {
  auto server = std::make_unique<HttpPredictions>(options);
  LONGTAIL_RETURN_IF_ERROR(server->Run());
  return server;
}

}  // namespace longtail::examples
