// A worker that a test commands, a line each; it answers each with a line, "done" or what went
// wrong.
//
//   train SECONDS      pulls and pushes the keys 0..999 of table "t", and trains no dense part
//   hammer SECONDS     pushes one key alone
//   not-finite         pushes a gradient that is none
//   clash              makes table "t" again, with other rows
//   checkpoint NAME
//
//   commanded_worker COORDINATOR STORE
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/status_macros.h"
#include "longtail/cluster.h"

namespace longtail {
namespace {

constexpr std::uint32_t kDim = 4;

class CommandedWorker {
 public:
  absl::Status Connect(const std::string& coordinator, const std::string& store) {
    LONGTAIL_ASSIGN_OR_RETURN(cluster_,
                              Cluster::Remote({.coordinator = coordinator, .store = store}));
    LONGTAIL_ASSIGN_OR_RETURN(table_, cluster_->CreateTable(Spec(kDim)));
    LONGTAIL_ASSIGN_OR_RETURN(worker_, cluster_->Connect());
    return absl::OkStatus();
  }

  absl::Status Do(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "train" || command == "hammer") {
      double seconds = 0;
      words >> seconds;
      return Push(command == "train" ? 1000 : 1, seconds);
    }
    if (command == "not-finite") {
      const std::vector<float> gradient(kDim, std::numeric_limits<float>::quiet_NaN());
      return worker_->Push(table_, std::vector<Key>{7}, gradient);
    }
    if (command == "clash") return cluster_->CreateTable(Spec(2 * kDim)).status();
    if (command == "checkpoint") {
      std::string name;
      words >> name;
      return cluster_->Checkpoint(name).status();
    }
    return absl::InvalidArgumentError("no command: " + line);
  }

 private:
  static TableSpec Spec(std::uint32_t dim) {
    TableSpec spec;
    spec.name = "t";
    spec.dim = dim;
    return spec;
  }

  absl::Status Push(Key count, double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::vector<Key> keys;
    for (Key key = 0; key < count; ++key) keys.push_back(key);
    const std::vector<float> gradients(keys.size() * kDim, -1);
    std::vector<float> rows(keys.size() * kDim);
    while (std::chrono::steady_clock::now() < end) {
      if (count > 1) LONGTAIL_RETURN_IF_ERROR(worker_->Pull(table_, keys, rows));
      LONGTAIL_RETURN_IF_ERROR(worker_->Push(table_, keys, gradients));
      LONGTAIL_RETURN_IF_ERROR(worker_->EndStep());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Others have the cores, too.
    }
    return absl::OkStatus();
  }

  std::unique_ptr<Cluster> cluster_;
  TableId table_{};
  std::unique_ptr<Worker> worker_;
};

void Answer(const absl::Status& status) {
  std::cout << (status.ok() ? "done" : std::string(status.message())) << std::endl;
}

int Main(const std::string& coordinator, const std::string& store) {
  CommandedWorker worker;
  absl::Status status = worker.Connect(coordinator, store);
  Answer(status);
  for (std::string line; status.ok() && std::getline(std::cin, line);) Answer(worker.Do(line));
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace longtail

int main(int argc, char** argv) {
  return argc == 3 ? longtail::Main(argv[1], argv[2]) : 2;
}
