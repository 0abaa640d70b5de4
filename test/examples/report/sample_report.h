// A report like that of a real run: every field set, no two of them equal.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "examples/common/report/run_report.h"

namespace longtail::examples::test {

inline ClassificationMetrics SampleMetrics(std::uint64_t example_count, double auc,
                                           double logloss) {
  ClassificationMetrics metrics;
  metrics.example_count = example_count;
  metrics.positive_count = example_count / 4;
  metrics.auc = auc;
  metrics.logloss = logloss;
  metrics.normalized_entropy = logloss / 0.5623;
  metrics.calibration = 1.5 - auc / 1.6;
  metrics.mean_probability = 0.2517;
  metrics.mean_label = 0.2493;
  return metrics;
}

/// Bucket 0 of the view is of one class, bucket 1 is empty.
inline BucketView SampleView(double auc, std::uint64_t absent_count) {
  BucketView view;
  view.absent_count = absent_count;
  view.buckets[0].example_count = 127;
  view.buckets[0].logloss = 0.9312;
  view.buckets[0].mean_probability = 0.3107;
  view.buckets[0].mean_label = 0;
  view.tail = SampleMetrics(311, auc - 0.013, 0.57);
  for (std::size_t i = 2; i < kCountBucketCount; ++i) {
    const auto step = static_cast<double>(i);
    view.buckets[i] =
        SampleMetrics(1 + 3071 * i * i * i * i, auc + 0.021 * step, 0.61 - 0.029 * step);
  }
  return view;
}

inline SplitResult SampleSplit(const std::string& name, double auc) {
  SplitResult split;
  split.name = name;
  split.seconds = 10 * auc;
  split.evaluation.overall = SampleMetrics(4'583'917, auc, 1.2456 - auc);
  split.evaluation.groups = GroupAuc{.value = auc - 0.0712,
                                     .group_count = 81'234,
                                     .one_class_count = 23'417,
                                     .example_count = 3'127'345};
  split.evaluation.by_rarest = SampleView(auc - 0.11, 0);
  split.evaluation.by_field = SampleView(auc - 0.13, 3'457);
  return split;
}

inline void AddSampleCurve(RunReport& report) {
  for (std::uint64_t i = 1; i <= 600; ++i) {
    const double t = static_cast<double>(i) / 600;
    const double wave = std::sin(static_cast<double>(i * i % 97)) * 0.004;
    CurvePoint point;
    point.samples_seen = i * 61'117;
    point.seconds = 412.7 * t;
    point.train_loss = 0.452 + 0.16 * std::exp(-9 * t) + wave;
    point.streaming_auc = 0.797 - 0.21 * std::exp(-8 * t) - wave;
    point.samples_per_second = 91'000 - 9'000 * t + 400'000 * wave;
    point.row_count = static_cast<std::uint64_t>(9.3e6 * std::pow(t, 0.72));
    point.memory_bytes = 92 * point.row_count + 71'303'168;
    if (i % 60 == 0) {
      point.validation_auc = 0.791 - 0.09 * std::exp(-6 * t);
      point.validation_logloss = 0.459 + 0.07 * std::exp(-6 * t);
    }
    report.curve.push_back(point);
  }
}

/// Frequencies of a long tail: row r was looked up 2,000,000 / r^1.07 times, at least once.
inline void AddSampleTail(RunReport& report) {
  const auto rank_of = [](double count) { return std::pow(2e6 / count, 1 / 1.07); };
  std::uint64_t before = 0;
  for (std::uint64_t rank = 1; rank <= 2000; ++rank) {
    report.rank_frequency.push_back(
        {.count = static_cast<std::uint64_t>(2e6 / std::pow(static_cast<double>(rank), 1.07)),
         .row_count = 1});
    before = rank;
  }
  for (std::uint64_t count = report.rank_frequency.back().count - 1; count >= 1; --count) {
    const auto last = static_cast<std::uint64_t>(rank_of(static_cast<double>(count)));
    if (last > before)
      report.rank_frequency.push_back({.count = count, .row_count = last - before});
    before = std::max(before, last);
  }
  report.rank_frequency.back().row_count += 3'812'345;
  for (const RowsByCount& entry : report.rank_frequency) {
    BucketSize& size = report.rows_by_bucket[IndexOf(BucketOf(entry.count))];
    size.row_count += entry.row_count;
    size.bytes += 84 * entry.row_count;
  }
}

inline RunReport SampleReport() {
  RunReport report;
  report.title = "CTR on Criteo DAC: wide and deep, 16 floats a row";
  report.command_line =
      "longtail-ctr --data criteo-dac/train.tsv.gz --dim 16 --optimizer adagrad --rate 0.05 "
      "--batch 4096 --epochs 1 --report run.html";
  report.started_utc = "2026-01-31 17:05:00";
  report.settings = {
      {"dim", "16"},      {"optimizer", "adagrad"},          {"learning rate", "0.05"},
      {"batch", "4,096"}, {"hidden layers", "256, 128, 64"}, {"seed", "17"}};
  report.environment = {.machine = "x86_64 build-7",
                        .operating_system = "Linux 6.1.0",
                        .cpu_model = "AMD EPYC 9554 64-Core Processor",
                        .core_count = 64,
                        .memory_bytes = 270'582'939'648,
                        .compiler = "GCC 12.2.0",
                        .build_type = "Release",
                        .blas = "OpenBLAS 0.3.21",
                        .version = "0.1.0"};
  report.data = {{"name", "Criteo Display Advertising Challenge"},
                 {"examples", "45,840,617"},
                 {"fields", "13 numeric, 26 categorical"}};
  AddSampleCurve(report);
  report.splits = {SampleSplit("train", 0.8071), SampleSplit("validation", 0.7913),
                   SampleSplit("test", 0.7902)};
  report.field_name = "C3";
  AddSampleTail(report);
  report.memory = {.weight_bytes = 595'200'001,
                   .state_bytes = 297'600'002,
                   .header_bytes = 148'800'003,
                   .index_bytes = 74'400'004};
  report.pulls_by_staleness = {17'901, 8'953, 2};
  report.wire = {.steps = 1000,
                 .bytes_sent = 52'000'000,
                 .bytes_received = 41'000'000,
                 .key_bytes_sent = 20'000'000,
                 .value_bytes_sent = 30'000'000,
                 .value_bytes_received = 39'000'000};
  report.row_cache = {
      .rows_served = 300'000, .rows_missed = 100'000, .rows_evicted = 7'000, .bytes = 16'777'000};
  report.checkpoint_path = "/var/tmp/ctr/checkpoint-0036670200";
  report.samples_trained = 36'670'200;
  report.train_seconds = 412.7;
  report.total_seconds = 497.3;
  report.phases = {{"read and hash", 38.25}, {"train", 412.7}, {"evaluate", 46.4}};
  return report;
}

}  // namespace longtail::examples::test
