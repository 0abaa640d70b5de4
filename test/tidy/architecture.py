"""The architecture as tables: who may include whom, and which file is tested through another.

A new entry here is a design change, and gets its paragraph in docs/ARCHITECTURE.md.
"""

# A folder of src/ may include itself and these. "longtail" is the public API.
MAY_INCLUDE = {
    "base": set(),
    "sparse": {"longtail", "base"},
    "protocol": {"longtail", "base"},
    "io": {"longtail", "base", "protocol"},
    "worker": {"longtail", "base", "sparse", "protocol", "io"},
    "server": {"longtail", "base", "sparse", "protocol", "io"},
    "cluster": {"longtail", "base", "protocol", "io", "worker", "server"},
    "serving": {"longtail", "base", "sparse", "protocol"},
    "checkpoint": {"longtail", "base", "protocol", "io", "server", "serving"},
    "cli": {"longtail", "base", "protocol", "io", "server", "checkpoint", "cluster"},
}
# Single files that may include more, by the start of their path.
MAY_ALSO_INCLUDE = {
    "src/server/embedded_cluster.": {"worker"},  # The cluster in one process hands out workers.
    "src/cli/gpu_selfcheck": {"worker"},  # It checks devices, which are worker/device.
}
# Parts of a folder that may include less, by the start of their path: of ours, these alone.
ONLY_INCLUDES = {
    "src/worker/device/": ("worker/device/", "base/"),  # Trainers may use it without a cluster.
}
# A user copies from examples/, so they see the public API and these alone.
EXAMPLES_MAY_INCLUDE = {
    "base/check.h",
    "base/dense_step.h",
    "base/dropout_mask.h",
    "base/hash.h",
    "base/logistic.h",
    "base/mutex.h",
    "base/random.h",
    "base/status_macros.h",
}

# Parts of examples/ that may also include headers that begin so.
EXAMPLES_MAY_ALSO_INCLUDE = {
    "examples/ctr/device/": "worker/device/",  # A trainer on a device sees the device.
}

# A third-party header belongs to the files whose path matches, and to no other file of src/.
LIBRARY_BELONGS_TO = [
    (r"zmq\.h(pp)?$|zmq_addon\.hpp$", r"^src/io/", "ZeroMQ belongs to src/io/"),
    (r"^rados/", r"^src/io/rados_", "librados belongs to src/io/rados_*"),
    (r"^curl/", r"^src/io/(etcd_gateway|stateful_set)\.",
     "libcurl belongs to src/io/etcd_gateway and stateful_set"),
    (r"^nlohmann/",
     r"^src/(protocol/(json_|manifest_|spec_json|statistics_json)"
     r"|cli/(action|bench|ckpt|doctor|gpu_selfcheck|inspect|key|plan|status)_"
     r"|cluster/(\w+_json|server_figures)\.|io/(etcd_gateway|stateful_set)\.)",
     "nlohmann-json belongs to src/protocol/'s JSON codecs, the answers of src/cli/ and "
     "src/cluster/, etcd's gateway and Kubernetes' API"),
    (r"^civetweb\.h$", r"^src/io/admin_http\.", "civetweb belongs to src/io/admin_http"),
    (r"^prometheus/", r"^src/io/metric_page\.", "prometheus-cpp belongs to src/io/metric_page"),
    (r"^CLI/", r"^src/cli/(main|\w+_command)\.", "CLI11 belongs to the command lines of src/cli/"),
    (r"^google/protobuf/|\.pb\.h$", r"^src/protocol/(wire|\w+_codec)",
     "protobuf belongs to the wire codecs of src/protocol/"),
    (r"^(cuda|cublas|thrust/|cub/|nccl|nvtx)",
     r"^src/worker/device/(cuda/\w+\.(cu|h)|kernels/simt\.h)$",
     "CUDA belongs to src/worker/device/cuda/"),
    (r"^absl/", r"^(?!src/worker/device/(cuda|kernels)/)",
     "Abseil does not belong to what nvcc compiles"),
    (r"^zstd\.h$", r"^src/protocol/compression\.", "zstd belongs to src/protocol/compression"),
]

# These are deterministic: state machines, and the math below them.
DETERMINISTIC = r"^src/(\w+/\w+_core|server/lane_snapshot|sparse/\w+)\.(h|cc)$"
NOT_DETERMINISTIC = [
    (r'#include "io/', "the shell of io/"),
    (r'#include "base/log\.h"|\bLONGTAIL_LOG', "a log line"),
    (r'#include (<(thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch'
     r'|barrier)>|"absl/synchronization/|"base/mutex\.h")', "a thread or a lock"),
    (r'#include (<(chrono|ctime|sys/time\.h)>|"absl/time/clock\.h")|::now\(|\bNow\(', "a clock"),
    (r"#include <random>|\brand\(|\brandom_device\b", "a random device"),
    (r"#include <(iostream|fstream|filesystem|cstdio|unistd\.h|fcntl\.h)>", "input or output"),
]
# Core loops of io/ drive cores; they are no cores.
NOT_A_CORE = {"src/io/core_loop"}

# A .cc of src/ that no test names: (header through which tests reach it, why that is enough).
# A test must name that header, so an entry cannot outlive its test.
TESTED_THROUGH = {
    "src/protocol/compression.cc": (
        "protocol/snapshot_writer.h", "its bytes are those of a snapshot chunk"),
    "src/protocol/field_reader.cc": (
        "protocol/wire.h", "every refusal of a field is a refusal of a message"),
    "src/protocol/frame_reader.cc": (
        "protocol/wire.h", "every refusal of a frame is a refusal of a message"),
    "src/protocol/frame_writer.cc": (
        "protocol/wire.h", "the golden files hold all it writes"),
    "src/protocol/json_reader.cc": (
        "protocol/manifest.h", "every refusal of a JSON value is a refusal of a manifest"),
    "src/protocol/spec_json.cc": (
        "protocol/manifest.h", "a spec is JSON in a manifest and nowhere else"),
    "src/protocol/status_codec.cc": (
        "protocol/wire.h", "a status travels in an acknowledgement and nowhere else"),
    "src/protocol/wire_compact.cc": ("protocol/wire.h", "it is one part of Encode and Decode"),
    "src/protocol/wire_control.cc": ("protocol/wire.h", "it is one half of Encode and Decode"),
    "src/protocol/wire_replication.cc": ("protocol/wire.h", "it is one part of Encode and Decode"),
    "src/protocol/wire_statistics.cc": (
        "protocol/wire.h", "statistics travel in messages and nowhere else"),
    "src/server/coordinator_lanes.cc": (
        "server/coordinator_core.h", "it is what the coordinator does about servers and lanes"),
    "src/server/coordinator_members.cc": (
        "server/coordinator_core.h", "it is the coordinator's answer to MembersRequest"),
    "src/server/lane_core_saving.cc": (
        "server/lane_core.h", "it is the part of a lane that becomes bases and images"),
    "src/server/replica_core_loading.cc": (
        "server/replica_core.h", "it is the part of a replica that a rollback needs"),
    "src/server/replica_core_following.cc": (
        "server/replica_core.h", "it is the half of a replica that follows"),
    "src/cluster/lane_loader.cc": (
        "longtail/cluster.h", "it is the servers' part of Cluster::RollBack"),
    "src/cluster/replica_seat.cc": (
        "cluster/cluster_status.h", "servers are made of it, and tests kill and stop them"),
    "src/io/zmq_listening.cc": (
        "io/zmq_network.h", "it is where an endpoint listens, with keys that change or without"),
    "src/io/zmq_monitor.cc": (
        "io/zmq_network.h", "an endpoint hears by it that its keys are refused"),
    "src/protocol/wire_data.cc": ("protocol/wire.h", "it is one half of Encode and Decode"),
    "src/server/checkpoint_reader.cc": (
        "longtail/cluster.h", "it is Cluster::Restore, which names what is damaged"),
    "src/io/control_client.cc": (
        "longtail/cluster.h", "every control call of a cluster goes through it"),
    "src/server/statistics_file.cc": (
        "longtail/cluster.h", "it is WriteStatisticsFile, tested as its users call it"),
    "src/server/embedded_cluster.cc": (
        "longtail/cluster.h", "it is Cluster, tested as its users call it"),
    "src/cluster/remote_cluster.cc": (
        "longtail/cluster.h", "it is Cluster::Remote, tested as its users call it"),
    "src/cluster/coordinator_link.cc": (
        "cluster/server_process.h", "servers and programs join through it and nothing else does"),
    "src/protocol/map_codec.cc": ("protocol/wire.h", "a map travels in a MapReply"),
    "src/protocol/wire_coordination.cc": (
        "protocol/wire.h", "it is one part of Encode and Decode"),
    "src/server/cluster_control.cc": (
        "longtail/cluster.h", "it is what clusters of either kind answer with"),
    "src/worker/connected_worker.cc": (
        "longtail/cluster.h", "it is the Worker of a cluster, and there is none without one"),
    "src/worker/connected_worker_counts.cc": (
        "longtail/cluster.h", "it is the part of the Worker that count tables need"),
    "src/sparse/count_table_statistics.cc": (
        "sparse/count_table.h", "it is the part of a count table that counts"),
    "src/sparse/use_sampler.cc": (
        "sparse/table.h", "a table's hot keys are its sample's"),
    "src/serving/serving_model.cc": (
        "longtail/serving.h", "it is ServingModel, tested as its users call it"),
    "src/serving/serving_table.cc": (
        "longtail/serving.h", "it is ServingTable, tested as its users call it"),
    "src/sparse/pages.cc": ("sparse/slabs.h", "pages are the memory of slabs"),
}
