// A Python process that saves rows by torch.save when it is told to (torch_save.py).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace longtail::bench {

class TorchSave {
 public:
  struct Times {
    double saved = 0;   ///< Seconds; 0: it ended.
    double synced = 0;  ///< Until the file is durable.
  };

  /// Null if that Python has no torch.
  static std::unique_ptr<TorchSave> Start(const std::string& python, std::uint64_t rows,
                                          std::uint64_t values, const std::string& file);
  ~TorchSave();
  TorchSave(const TorchSave&) = delete;
  TorchSave& operator=(const TorchSave&) = delete;

  Times Save();

 private:
  TorchSave(int to, int from, int process) : to_(to), from_(from), process_(process) {}
  std::string Line();

  const int to_;
  const int from_;
  const int process_;
};

}  // namespace longtail::bench
