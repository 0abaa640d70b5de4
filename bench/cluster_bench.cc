// A worker and a server over loopback: ours beside the limit and what others would write.
//
//   cluster_bench [--dims --keys --depths --floats --rounds --ways] [--check NAME=VALUE,…]
//
// Each server is a process of its own with one thread that answers; each way to it has its turn in
// each round, so that what else the machine does falls on all. A ratio is the median over rounds of
// the ratio within a round. Bytes are keys, counts, gradients and rows, counted once.
//
//   tcp        the same bytes over a TCP socket: the limit
//   zmq        the same bytes as ZeroMQ messages, DEALER to ROUTER, sent from where they lie
//   umap       a ROUTER that answers from unordered_map<key, vector>, one row after another
//   prefetched a ROUTER that answers from absl::flat_hash_map and rows apart, misses overlapped
//   transport  our messages between two endpoints, no table
//   ours, ipc  a Worker of Cluster::Remote and a ServerProcess with one lane, over TCP and over ipc
//   logged     as ours, and what the server acknowledges is durable in a log of files
//   keys       as ours, with keys: every connection is encrypted (CURVE)
//   ceph       as logged, the log in Ceph (--ceph ADDRESS; what is there goes at the end)
//   pair       as ours, of two servers in one process, which share the partitions
//   replicated as pair, and each lane has a replica in the other server
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/server_child.h"
#include "bench/wire_path.h"

namespace longtail::bench {
namespace {

struct Options {
  std::uint64_t floats = 128'000'000;  // Of each store's weights and sums.
  std::vector<std::size_t> dims = {16, 64};
  std::vector<std::size_t> keys = {1'000, 10'000, 100'000};
  std::vector<std::size_t> depths = {1, 4};
  std::vector<std::string> ways = {"tcp", "zmq", "umap", "prefetched", "transport", "ours", "ipc"};
  std::string only;  // Empty, or "pull" or "push".
  std::string ceph;  // A place of this run's own, for the way of that name.
  std::size_t rounds = 7;
  std::size_t bytes_per_turn = std::size_t{48} << 20;
  std::vector<std::string> at_least;
  std::vector<std::string> at_most;
};

// The address, in a namespace below its own.
std::string WithNamespace(const std::string& address, const std::string& name) {
  const std::size_t options = std::min(address.find('?'), address.size());
  return address.substr(0, options) + "/" + name + address.substr(options);
}

std::string LogOf(const std::string& way, const std::string& directory, const std::string& ceph) {
  if (way == "ceph") return ceph;
  return way == "logged" ? directory + "/log" : "";
}

std::string Serve(const std::string& way, const StoreSize& size, const std::string& directory,
                  const std::string& ceph) {
  if (way == "tcp") return ServeTcp();
  if (way == "zmq") return ServeZmq();
  if (way == "umap") return ServeUnorderedMap(size);
  if (way == "prefetched") return ServePrefetched(size);
  if (way == "transport") return ServeTransport();
  const bool is_pair = way == "pair" || way == "replicated";
  return ServeCluster({.servers = is_pair ? 2U : 1U,
                       .replicas = way == "replicated" ? 2U : 1U,
                       .ipc_directory = way == "ipc" ? directory : "",
                       .log_store = LogOf(way, directory, ceph),
                       .keys_directory = way == "keys" ? directory + "/keys" : ""});
}

std::unique_ptr<WirePath> Connect(const std::string& way, const std::string& address,
                                  Workload& load) {
  if (way == "tcp") return ConnectTcp(address, load);
  if (way == "zmq") return ConnectZmq(address, load, false);
  if (way == "umap" || way == "prefetched") return ConnectZmq(address, load, true);
  if (way == "transport") return ConnectTransport(address, load);
  return ConnectCluster(address, load);
}

// One way's share of a round.
struct Turn {
  double rows_per_second = 0;
  double rows_per_server_cpu = 0;
  double rows_per_worker_cpu = 0;
  double latency = 0;  // Median.
};
struct Times {
  std::vector<Turn> turns;
  std::vector<double> latencies;

  double Median(double Turn::*what) const {
    std::vector<double> values;
    for (const Turn& turn : turns) values.push_back(turn.*what);
    return Quantile(values, 0.5);
  }
};
double Ratio(const Times& over, const Times& under, double Turn::*what) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < over.turns.size(); ++i) {
    ratios.push_back(over.turns[i].*what / under.turns[i].*what);
  }
  return Quantile(ratios, 0.5);
}

void RunTurn(ServerChild& server, WirePath& path, const Shape& shape, std::size_t depth,
             std::size_t requests, Times& times) {
  std::deque<double> started;
  std::vector<double> latencies;
  const double server_cpu = server.Cpu();
  const double worker_cpu = CpuSeconds();
  const double begin = Seconds();
  for (std::size_t i = 0; i < requests + depth; ++i) {
    if (i >= depth) {
      path.Finish();
      latencies.push_back(Seconds() - started.front());
      started.pop_front();
    }
    if (i < requests) {
      started.push_back(Seconds());
      path.Start(shape, i);
    }
  }
  const double seconds = Seconds() - begin;
  const auto rows = static_cast<double>(requests * shape.keys);
  // A turn shorter than the clock's tick has no CPU time.
  const double tick = 1e-6;
  times.turns.push_back({.rows_per_second = rows / seconds,
                         .rows_per_server_cpu = rows / std::max(tick, server.Cpu() - server_cpu),
                         .rows_per_worker_cpu = rows / std::max(tick, CpuSeconds() - worker_cpu),
                         .latency = Quantile(latencies, 0.5)});
  times.latencies.insert(times.latencies.end(), latencies.begin(), latencies.end());
}

// By shape ("pull16_100k x4"), then by way.
using Results = std::map<std::string, std::map<std::string, Times>>;

std::string NameOf(const Shape& shape, std::size_t depth) {
  return (shape.is_push ? "push" : "pull") + std::to_string(shape.dim) + "_" +
         std::to_string(shape.keys / 1000) + "k x" + std::to_string(depth);
}

void Print(const Shape& shape, std::size_t depth, const std::vector<std::string>& ways,
           const std::map<std::string, Times>& times) {
  std::printf("%s, dim %zu, %zu keys, %zu in flight: %zu bytes there, %zu back\n",
              shape.is_push ? "push" : "pull", shape.dim, shape.keys, depth, shape.RequestBytes(),
              shape.ReplyBytes());
  std::printf("  %-11s %8s %6s %9s %9s   CPU s per M rows: server worker\n", "", "M rows/s", "GB/s",
              "p50 ms", "p99 ms");
  const auto bytes = static_cast<double>(shape.RequestBytes() + shape.ReplyBytes());
  for (const std::string& way : ways) {
    const Times& t = times.at(way);
    const double rate = t.Median(&Turn::rows_per_second);
    std::printf("  %-11s %8.2f %6.2f %9.3f %9.3f %25.4f %6.4f\n", way.c_str(), rate / 1e6,
                rate * bytes / static_cast<double>(shape.keys) / 1e9,
                Quantile(t.latencies, 0.5) * 1e3, Quantile(t.latencies, 0.99) * 1e3,
                1e6 / t.Median(&Turn::rows_per_server_cpu),
                1e6 / t.Median(&Turn::rows_per_worker_cpu));
  }
  std::fflush(stdout);
}

// Servers of all ways with rows of one width, and what the worker asks them.
void RunDim(const Options& options, std::size_t dim, Results& results) {
  std::string directory = std::filesystem::temp_directory_path() / "cluster_bench.XXXXXX";
  LONGTAIL_CHECK(mkdtemp(directory.data()) != nullptr);
  {
    const std::uint64_t rows = options.floats / (2 * dim);
    Workload load(rows, dim, options.keys);
    std::map<std::string, std::unique_ptr<ServerChild>> servers;
    std::map<std::string, std::unique_ptr<WirePath>> paths;
    for (const std::string& way : options.ways) {
      servers[way] = std::make_unique<ServerChild>(std::vector<std::string>{
          "--serve", way, "--floats", std::to_string(options.floats), "--dims", std::to_string(dim),
          "--directory", directory, "--ceph", WithNamespace(options.ceph, std::to_string(dim))});
      paths[way] = Connect(way, servers[way]->address(), load);
    }
    // As many rows as there are and a quarter more, so that what a store does behind its filling is
    // done: growth is measured by table_bench.
    const Shape most{.is_push = false, .keys = std::ranges::max(options.keys), .dim = dim};
    for (const auto& [way, path] : paths) {
      Times unread;
      RunTurn(*servers[way], *path, most, 1, (rows + rows / 4) / most.keys + 1, unread);
    }
    for (const std::size_t keys : options.keys) {
      for (const bool is_push : {false, true}) {
        if (!options.only.empty() && (options.only == "push") != is_push) continue;
        const Shape shape{.is_push = is_push, .keys = keys, .dim = dim};
        const std::size_t requests = std::clamp<std::size_t>(
            options.bytes_per_turn / (shape.RequestBytes() + shape.ReplyBytes()), 8, 200);
        for (const std::size_t depth : options.depths) {
          std::map<std::string, Times>& times = results[NameOf(shape, depth)];
          Times unread;
          for (const auto& [way, path] : paths) {
            RunTurn(*servers[way], *path, shape, depth, Workload::kBatches, unread);
          }
          for (std::size_t round = 0; round < options.rounds; ++round) {
            for (const std::string& way : options.ways) {
              RunTurn(*servers[way], *paths[way], shape, depth, requests, times[way]);
            }
          }
          Print(shape, depth, options.ways, times);
        }
      }
    }
  }
  std::filesystem::remove_all(directory);
  if (!options.ceph.empty()) RemoveLogs(WithNamespace(options.ceph, std::to_string(dim)));
}

Figures Figure(const Results& results) {
  Figures figures;
  const auto Find = [&](const std::string& shape, const std::string& way) -> const Times* {
    const auto times = results.find(shape);
    if (times == results.end()) return nullptr;
    const auto found = times->second.find(way);
    return found == times->second.end() ? nullptr : &found->second;
  };
  const auto Compare = [&](const std::string& name, const std::string& shape,
                           const std::string& over, const std::string& under, double Turn::*what) {
    const Times* const a = Find(shape, over);
    const Times* const b = Find(shape, under);
    if (a != nullptr && b != nullptr) figures[name] = Ratio(*a, *b, what);
  };
  const auto Least = [&](const std::string& name, const std::vector<std::string>& of) {
    for (const std::string& one : of) {
      const auto found = figures.find(one);
      if (found == figures.end()) continue;
      figures[name] =
          figures.contains(name) ? std::min(figures[name], found->second) : found->second;
    }
  };
  for (const std::string op : {"pull", "push"}) {
    for (const std::string dim : {"16", "64"}) {
      const std::string shape = op + dim + "_100k x4";
      Compare(op + dim + "_100k/tcp", shape, "ours", "tcp", &Turn::rows_per_second);
      Compare("transport/zmq_" + op + dim, shape, "transport", "zmq", &Turn::rows_per_second);
      Compare("ipc/ours_" + op + dim, shape, "ipc", "ours", &Turn::rows_per_second);
      Compare("logged/ours_" + op + dim, shape, "logged", "ours", &Turn::rows_per_second);
      Compare("keys/ours_" + op + dim, shape, "keys", "ours", &Turn::rows_per_second);
      Compare("ceph/logged_" + op + dim, shape, "ceph", "logged", &Turn::rows_per_second);
      Compare("replicated/pair_" + op + dim, shape, "replicated", "pair", &Turn::rows_per_second);
      for (const std::string rival : {"umap", "prefetched"}) {
        Compare(op + dim + "_cpu/" + rival, shape, "ours", rival, &Turn::rows_per_server_cpu);
      }
    }
    const std::string shape = op + "16_10k x1";
    Compare(op + "16_10k_p50/zmq", shape, "ours", "zmq", &Turn::latency);
    for (const std::string way : {"zmq", "ours", "tcp"}) {
      if (const Times* const times = Find(shape, way)) {
        figures[op + "16_10k_" + way + "_ms"] = times->Median(&Turn::latency) * 1e3;
      }
    }
  }
  Least("transport/zmq", {"transport/zmq_pull64", "transport/zmq_push64"});
  Least("ipc/ours", {"ipc/ours_pull64", "ipc/ours_push64"});
  return figures;
}

void PrintMachine(const Options& options) {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line) && !line.starts_with("model name")) {
  }
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  std::printf("%s, %ld CPUs, load %.1f; stores of %lu M floats, %zu rounds\n",
              line.substr(std::min(line.size(), line.find(": ") + 2)).c_str(),
              sysconf(_SC_NPROCESSORS_ONLN), load, options.floats / 1'000'000, options.rounds);
}

int Main(int argc, char** argv) {
  CLI::App app("Wire speed of a worker and a server beside rivals'");
  Options options;
  bool smoke = false;
  std::string serve;
  std::string directory;
  app.add_flag("--smoke", smoke, "seconds, not minutes: does it run?");
  app.add_option("--floats", options.floats, "weights and sums of each store, all rows together");
  app.add_option("--dims", options.dims, "widths of rows")->delimiter(',');
  app.add_option("--keys", options.keys, "keys of a request, ascending")->delimiter(',');
  app.add_option("--depths", options.depths, "requests in flight, at most 4")->delimiter(',');
  app.add_option("--ways", options.ways, "see the head of cluster_bench.cc")->delimiter(',');
  app.add_option("--only", options.only, "pull or push");
  app.add_option("--ceph", options.ceph, "rados://POOL[/NAMESPACE]?..., for the way of that name");
  app.add_option("--rounds", options.rounds, "turns of each way");
  app.add_option("--check", options.at_least, "NAME=VALUE,…: figures at least so large")
      ->delimiter(',');
  app.add_option("--most", options.at_most, "NAME=VALUE,…: figures at most so large")
      ->delimiter(',');
  app.add_option("--serve", serve, "for itself: be the server of this way");
  app.add_option("--directory", directory, "for itself: where sockets go");
  CLI11_PARSE(app, argc, argv);
  if (!serve.empty()) {
    const std::size_t dim = options.dims[0];
    ServeParent(
        Serve(serve, {.rows = options.floats / (2 * dim), .dim = dim}, directory, options.ceph));
  }
  if (!options.ceph.empty()) {
    options.ceph = WithNamespace(options.ceph, "bench-" + std::to_string(getpid()));
  } else if (std::ranges::find(options.ways, "ceph") != options.ways.end()) {
    std::fprintf(stderr, "the way ceph wants --ceph ADDRESS\n");
    return 2;
  }
  if (smoke) {
    options.floats = 640'000;
    options.dims = {16};
    options.keys = {1'000, 10'000};
    options.rounds = 2;
    options.bytes_per_turn = 2 << 20;
  }
  PrintMachine(options);
  Results results;
  for (const std::size_t dim : options.dims) RunDim(options, dim, results);
  const Figures figures = Figure(results);
  const bool holds = Report(figures, options.at_least, Bound::kLeast);
  return Check(figures, options.at_most, Bound::kMost) && holds ? 0 : 1;
}

}  // namespace
}  // namespace longtail::bench

int main(int argc, char** argv) {
  return longtail::bench::Main(argc, argv);
}
