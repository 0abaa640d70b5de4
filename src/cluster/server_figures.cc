#include "cluster/server_figures.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cluster/process_pages.h"
#include "cluster/table_json.h"
#include "protocol/json_line.h"
#include "protocol/replica_role_names.h"

namespace longtail {
namespace {

using nlohmann::json;

// Of all places together: labels by place and table would be too many.
std::vector<TableStatistics> SumOfTables(const std::vector<PlaceReport>& places,
                                         std::size_t table_count) {
  std::vector<TableStatistics> sum(table_count);
  for (const PlaceReport& place : places) {
    for (std::size_t t = 0; t < std::min(table_count, place.tables.size()); ++t) {
      sum[t] += place.tables[t];
    }
  }
  return sum;
}

std::string PlaceName(const PlaceReport& place) {
  return absl::StrCat(place.place);
}

void AddPlaces(const std::vector<PlaceReport>& places, MetricPage& page) {
  for (const PlaceReport& place : places) {
    page.Gauge("longtail_place_role", "1, of the lane (0: none) and the role that a place has.",
               1.0,
               {{"place", PlaceName(place)},
                {"lane", absl::StrCat(static_cast<std::uint32_t>(place.lane))},
                {"role", ReplicaRoleName(place.role)}});
  }
  const auto each = [&](std::string_view name, std::string_view help, auto value_of) {
    for (const PlaceReport& place : places) {
      page.Counter(name, help, value_of(place), {{"place", PlaceName(place)}});
    }
  };
  each("longtail_rows_pulled_total", "Rows of pulls that were answered.",
       [](const PlaceReport& place) { return place.rows_pulled; });
  each("longtail_rows_pushed_total", "Rows of pushes that were acknowledged.",
       [](const PlaceReport& place) { return place.rows_pushed; });
  each("longtail_sent_bytes_total", "Bytes of messages sent.",
       [](const PlaceReport& place) { return place.messages.sent_bytes; });
  each("longtail_received_bytes_total", "Bytes of messages received.",
       [](const PlaceReport& place) { return place.messages.received_bytes; });
  each("longtail_refused_messages_total", "What came and was no message of ours.",
       [](const PlaceReport& place) { return place.messages.refused; });
  each("longtail_denied_messages_total", "Messages that were not their sender's to say.",
       [](const PlaceReport& place) { return place.messages.denied; });
  each("longtail_deferred_messages_total",
       "Messages that were to come again, as their sender's rows or bytes were used up.",
       [](const PlaceReport& place) { return place.messages.deferred; });
  const auto dropped = [&](const PlaceReport& place, const char* reason, std::uint64_t count) {
    page.Counter("longtail_dropped_messages_total",
                 "Messages that were not sent: the peer's queue was full, or it was gone, or the "
                 "same one was still waiting.",
                 count, {{"place", PlaceName(place)}, {"reason", reason}});
  };
  for (const PlaceReport& place : places) {
    dropped(place, "full", place.messages.full_dropped);
    dropped(place, "gone", place.messages.unknown_dropped);
    dropped(place, "repeated", place.messages.repeats_dropped);
  }
  each("longtail_replica_images_total", "Images of a lane that a replica began to fetch.",
       [](const PlaceReport& place) { return place.images; });
  each("longtail_replica_problems_total", "What kept a replica from following.",
       [](const PlaceReport& place) { return place.problems; });
  each("longtail_snapshots_total", "Snapshots for checkpoints that were written whole.",
       [](const PlaceReport& place) { return place.meter->snapshots(); });
  for (const PlaceReport& place : places) {
    if (place.meter->snapshots() == 0) continue;
    page.Gauge("longtail_snapshot_timestamp_seconds", "When the last of them was, since 1970.",
               absl::ToDoubleSeconds(place.meter->last_snapshot_at() - absl::UnixEpoch()),
               {{"place", PlaceName(place)}});
  }
  for (const PlaceReport& place : places) {
    page.Gauge("longtail_steps",
               "Steps that all workers have ended; asynchronous: the newest step pushed.",
               place.step, {{"place", PlaceName(place)}});
  }
  for (const PlaceReport& place : places) {
    if (place.role != ReplicaRole::kReader) continue;
    page.Gauge("longtail_reader_behind_seconds", "How old what a reader answers is at the most.",
               absl::ToDoubleSeconds(place.behind), {{"place", PlaceName(place)}});
  }
  for (const PlaceReport& place : places) {
    if (!place.keeps_log) continue;
    page.Counter("longtail_log_written_bytes_total", "Bytes written to the lane's log.",
                 place.log_bytes, {{"place", PlaceName(place)}});
  }
  for (const PlaceReport& place : places) {
    if (!place.keeps_log) continue;
    page.Gauge("longtail_log_since_base_bytes", "Bytes of the log that a start would read.",
               place.log_bytes_since_base, {{"place", PlaceName(place)}});
  }
}

using Tables = std::vector<std::pair<std::string, TableStatistics>>;
using Number = std::pair<std::string_view, std::uint64_t TableStatistics::*>;

void AddNumbers(const Tables& tables, std::string_view name, std::string_view help,
                std::string_view label, std::initializer_list<Number> numbers, bool is_counter,
                MetricPage& page) {
  for (const auto& table : tables) {
    for (const Number& number : numbers) {
      const std::uint64_t value = table.second.*number.second;
      const auto add = [&](MetricPage::Labels labels) {
        is_counter ? page.Counter(name, help, value, labels)
                   : page.Gauge(name, help, value, labels);
      };
      if (label.empty()) {
        add({{"table", table.first}});
      } else {
        add({{"table", table.first}, {label, number.first}});
      }
    }
  }
}

void AddTables(const Tables& tables, MetricPage& page) {
  using S = TableStatistics;
  AddNumbers(tables, "longtail_table_rows", "Rows of the lanes that the server leads, by table.",
             "", {{"", &S::rows}}, false, page);
  AddNumbers(tables, "longtail_table_tail_rows", "Of them, those in the tail's format.", "",
             {{"", &S::tail_rows}}, false, page);
  AddNumbers(tables, "longtail_table_bytes", "Memory of a table, by what is in it.", "part",
             {{"weights", &S::weight_bytes},
              {"state", &S::state_bytes},
              {"headers", &S::header_bytes},
              {"index", &S::index_bytes},
              {"free", &S::free_bytes}},
             false, page);
  AddNumbers(tables, "longtail_table_distinct_keys", "Different keys that were seen, about.", "",
             {{"", &S::distinct_keys}}, false, page);
  for (const auto& [table, statistics] : tables) {
    const auto rows = RowsByBucket(statistics);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      page.Gauge("longtail_table_bucket_rows",
                 "Rows by how often they were trained; as they were when last counted.", rows[i],
                 {{"table", table}, {"bucket", kFrequencyBuckets[i].name}});
    }
  }
  AddNumbers(tables, "longtail_table_pulled_keys_total", "Keys pulled, found or not.", "",
             {{"", &S::pulls}}, true, page);
  for (const auto& [table, statistics] : tables) {
    for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
      page.Counter("longtail_table_bucket_pulled_keys_total",
                   "Keys pulled, by how often their row was trained then; 0: it had none.",
                   statistics.pulls_by_bucket[i],
                   {{"table", table}, {"bucket", kFrequencyBuckets[i].name}});
    }
  }
  AddNumbers(tables, "longtail_table_pushed_keys_total", "Keys pushed, refused ones included.", "",
             {{"", &S::pushes}}, true, page);
  AddNumbers(tables, "longtail_table_created_rows_total", "Rows that a push created.", "",
             {{"", &S::rows_created}}, true, page);
  AddNumbers(tables, "longtail_table_promoted_rows_total", "Rows that left the tail's format.", "",
             {{"", &S::rows_promoted}}, true, page);
  AddNumbers(tables, "longtail_table_shared_keys_total",
             "Keys pushed below admission: they moved a row that they share.", "",
             {{"", &S::shared_pushes}}, true, page);
  AddNumbers(tables, "longtail_table_refused_keys_total",
             "Keys pushed whose gradient was not finite, or for which there was no room.", "reason",
             {{"non_finite", &S::non_finite_refused}, {"full", &S::full_refused}}, true, page);
  AddNumbers(tables, "longtail_table_evicted_rows_total", "Rows evicted, by reason.", "reason",
             {{"idle", &S::evicted_idle},
              {"score", &S::evicted_score},
              {"norm", &S::evicted_norm},
              {"budget", &S::evicted_budget}},
             true, page);
}

}  // namespace

void AddServerFigures(const std::vector<PlaceReport>& places, const ClusterMap& map,
                      MetricPage& page) {
  page.Gauge("longtail_map_version", "Version of the cluster map that the server has.",
             map.version);
  AddPlaces(places, page);
  std::vector<std::pair<std::string, const LoopMeter*>> meters;
  for (const PlaceReport& place : places) meters.emplace_back(PlaceName(place), place.meter);
  AddLoopFigures(meters, page);
  std::vector<TableStatistics> sums = SumOfTables(places, map.tables.size());
  Tables tables;
  for (std::size_t t = 0; t < sums.size(); ++t) {
    tables.emplace_back(map.tables[t].name, std::move(sums[t]));
  }
  AddTables(tables, page);
}

std::string ServerJson(const std::string& server, const std::string& state,
                       const std::vector<PlaceReport>& places, const ClusterMap* map) {
  json document = {
      {"server", server}, {"state", state}, {"places", json::array()}, {"tables", json::array()}};
  for (const PlaceReport& place : places) {
    document["places"].push_back({{"place", place.place},
                                  {"lane", static_cast<std::uint32_t>(place.lane)},
                                  {"role", std::string(ReplicaRoleName(place.role))},
                                  {"step", place.step},
                                  {"log_entries", place.log_entries},
                                  {"rows_pulled", place.rows_pulled},
                                  {"rows_pushed", place.rows_pushed}});
    if (place.keeps_log) {
      document["places"].back()["log_bytes_since_base"] = place.log_bytes_since_base;
    }
    if (place.meter != nullptr && place.meter->snapshots() != 0) {
      document["places"].back()["snapshot_at_seconds"] =
          absl::ToDoubleSeconds(place.meter->last_snapshot_at() - absl::UnixEpoch());
    }
    if (place.role == ReplicaRole::kReader) {
      document["places"].back()["behind_seconds"] = place.behind == absl::InfiniteDuration()
                                                        ? json(nullptr)
                                                        : json(absl::ToDoubleSeconds(place.behind));
    }
  }
  if (map != nullptr) {
    document["map_version"] = map->version;
    document["epoch"] = map->epoch;
    const std::vector<TableStatistics> sums = SumOfTables(places, map->tables.size());
    for (std::size_t t = 0; t < sums.size(); ++t) {
      document["tables"].push_back(TableJson(map->tables[t], sums[t]));
    }
  }
  return JsonLine(document);
}

}  // namespace longtail
