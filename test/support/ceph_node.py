#!/usr/bin/env python3
"""A real Ceph on the loopback address, for tests: one monitor, one manager, one OSD in a directory.

    ceph_node.py start DIR          makes the cluster, or starts again what is down; ends when a
                                    write works. DIR/ceph.conf and DIR/client.NAME.keyring are then
                                    what a client needs.
    ceph_node.py wipe DIR           ends all daemons and removes DIR
    ceph_node.py kill DIR DAEMON    SIGKILL to mon.a, mgr.x or osd.0
    ceph_node.py up DIR DAEMON      starts that daemon again; for an OSD, until a write works
    ceph_node.py pause DIR DAEMON   SIGSTOP: what is sent to it waits
    ceph_node.py resume DIR DAEMON  SIGCONT
    ceph_node.py quota DIR POOL N   the pool takes N bytes; 0: any number

Pools: longtail, small. Users: client.longtail may use both; client.reader may only read. No file
outside of DIR is touched and no system service; any user may run it. Where Ceph is not installed,
`start` says [skip] and succeeds, unless LONGTAIL_TEST_SERVERS is "required".
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

DAEMONS = ["mon.a", "mgr.x", "osd.0"]
POOLS = ["longtail", "small"]
PROGRAMS = ["ceph-mon", "ceph-mgr", "ceph-osd", "ceph", "rados", "ceph-authtool", "monmaptool"]
START_SECONDS = 90
MARK = "made-by-ceph-node"

# A port for the monitor and as many after it for the others, below those that the system hands out.
PORT_FIRST, PORT_LAST, PORTS_EACH = 20000, 32000, 20
OSD_BYTES = 8 << 30  # A sparse file.

CONF = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:{port}/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_bind_port_min = {port_min}
ms_bind_port_max = {port_max}
ms_bind_retry_count = 1
ms_bind_retry_delay = 1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = {dir}/keyring
run_dir = {dir}/run
pid_file = {dir}/run/$name.pid
log_file = {dir}/log/$name.log
crash_dir = {dir}/crash
admin_socket =
log_to_stderr = false
# One machine, one replica, and no complaint about either.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_warn_on_pool_no_app = false
mon_data_avail_warn = 1
mon_data_avail_crit = 0
paxos_propose_interval = 0.05
osd_objectstore = bluestore
osd_memory_target = 1073741824
bluestore_block_size = {osd_bytes}

[client]
log_file =
pid_file =

[mon]
mon_data = {dir}/mon.$id
mon_cluster_log_file = {dir}/log/cluster.log

[mgr]
mgr_data = {dir}/mgr.$id
keyring = {dir}/mgr.$id/keyring
mgr_initial_modules =
# A pool that is over its quota is noticed soon.
mgr_stats_period = 1
mgr_tick_period = 1
# Each costs time at the start.
mgr_disabled_modules = {modules}

[osd]
osd_data = {dir}/osd.$id
keyring = {dir}/osd.$id/keyring
"""
MODULES = ("alerts,cephadm,dashboard,diskprediction_local,influx,insights,iostat,k8sevents,"
           "localpool,mds_autoscaler,mirroring,nfs,osd_perf_query,osd_support,prometheus,restful,"
           "rook,selftest,snap_schedule,stats,telegraf,test_orchestrator,zabbix")


def fail(sentence):
    sys.exit(f"ceph_node: {sentence}")


def run(*command, seconds=60):
    """What it printed; ends the program if it failed or took longer."""
    # Ceph's own commands want the system's Python, not another one that PATH may begin with.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("CEPH_ARGS", "CEPH_CONF", "CEPH_KEYRING")}
    environment["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin"
    environment["LC_ALL"] = "C"
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        fail(f"'{' '.join(map(str, command))}' did not end within {seconds} s")
    if done.returncode != 0:
        fail(f"'{' '.join(map(str, command))}' failed: {done.stdout.strip()}")
    return done.stdout


def free_port():
    for _ in range(200):
        port = random.randrange(PORT_FIRST, PORT_LAST, PORTS_EACH)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    fail(f"no free port from {PORT_FIRST} to {PORT_LAST}")


class Node:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory).resolve()
        self.conf = self.dir / "ceph.conf"

    def ceph(self, *command):
        return run("ceph", "-c", self.conf, "--connect-timeout", "10", *command)

    def make(self):
        """All that exists before a daemon runs: keys, the monitor's map, both data bases."""
        if self.dir.exists() and any(self.dir.iterdir()) and not (self.dir / MARK).exists():
            fail(f"{self.dir} is not empty and not from here")
        for name in ("run", "log", "crash", "mon.a", "mgr.x", "osd.0"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        (self.dir / MARK).touch()
        port = free_port()
        fsid = str(uuid.uuid4())
        osd = str(uuid.uuid4())
        (self.dir / "osd.uuid").write_text(osd, encoding="ascii")
        self.conf.write_text(CONF.format(fsid=fsid, port=port, port_min=port + 1, dir=self.dir,
                                         port_max=port + PORTS_EACH - 1, osd_bytes=OSD_BYTES,
                                         modules=MODULES), encoding="ascii")
        # The monitor begins with all the keys, so that none has to be added to a running cluster.
        pools = ", ".join(f"allow rwx pool={pool}" for pool in POOLS)
        keys = [
            ("mon.", "mon.keyring", ["mon", "allow *"]),
            ("client.admin", "keyring", ["mon", "allow *", "osd", "allow *", "mgr", "allow *"]),
            ("mgr.x", "mgr.x/keyring", ["mon", "allow profile mgr", "osd", "allow *"]),
            ("osd.0", "osd.0/keyring", ["mon", "allow profile osd", "mgr", "allow profile osd",
                                        "osd", "allow *"]),
            ("client.longtail", "client.longtail.keyring", ["mon", "allow r", "osd", pools]),
            ("client.reader", "client.reader.keyring", ["mon", "allow r", "osd", "allow r"]),
            # Of right form, and not the monitor's.
            ("client.longtail", "wrong.keyring", ["mon", "allow r"]),
        ]
        for name, file, caps in keys:
            words = [word for pair in zip(caps[::2], caps[1::2]) for word in ("--cap", *pair)]
            run("ceph-authtool", "-C", self.dir / file, "--gen-key", "-n", name, *words)
        with open(self.dir / "mon.keyring", "a", encoding="ascii") as all_keys:
            for _, file, _ in keys[1:-1]:
                all_keys.write((self.dir / file).read_text(encoding="ascii"))
        run("monmaptool", "--create", "--clobber", "--addv", "a", f"[v2:127.0.0.1:{port}]",
            "--fsid", fsid, self.dir / "monmap")
        run("ceph-mon", "-i", "a", "-c", self.conf, "--mkfs", "--monmap", self.dir / "monmap",
            "--keyring", self.dir / "mon.keyring")
        run("ceph-osd", "-i", "0", "-c", self.conf, "--mkfs", "--no-mon-config", "--monmap",
            self.dir / "monmap", "--osd-uuid", osd)

    def pid(self, daemon):
        """Of a daemon of this directory that runs, or None; numbers are used again by others."""
        try:
            number = int((self.dir / "run" / f"{daemon}.pid").read_text(encoding="ascii"))
            line = pathlib.Path(f"/proc/{number}/cmdline").read_bytes().decode()
            return number if str(self.conf) in line.split("\0") else None
        except (OSError, ValueError):
            return None

    def up(self, daemon):
        if self.pid(daemon) is None:
            kind, name = daemon.split(".")
            run(f"ceph-{kind}", "-i", name, "-c", self.conf)  # Goes to the background by itself.

    def await_writes(self):
        # By default a client asks for a newer map after ten seconds.
        rados = ["rados", "-c", self.conf, "--objecter-timeout=0.5",
                 "--objecter-tick-interval=0.2"]
        for pool in POOLS:
            run(*rados, "-p", pool, "put", "probe", self.conf, seconds=START_SECONDS)
            run(*rados, "-p", pool, "rm", "probe")

    def end(self, daemon, number):
        pid = self.pid(daemon)
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + 20
        while self.pid(daemon) == pid:
            if time.monotonic() > until:
                fail(f"process {pid} ({daemon}) does not end")
            time.sleep(0.02)

    def start(self):
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            sentence = (f"Ceph is not installed (no {', '.join(missing)}): apt-get install "
                        "ceph-mon ceph-mgr ceph-osd ceph-common")
            if os.environ.get("LONGTAIL_TEST_SERVERS") == "required":
                fail(sentence)
            print(f"[skip] {sentence}")
            return
        begin = time.monotonic()
        is_new = not (self.dir / "pools-are-made").exists()
        if is_new:
            self.wipe()
            self.make()
        self.up("mon.a")
        manager = subprocess.Popen([sys.executable, __file__, "up", str(self.dir), "mgr.x"])
        if is_new:
            self.ceph("osd", "new", (self.dir / "osd.uuid").read_text(encoding="ascii"), "0")
        self.up("osd.0")
        if is_new:
            for pool in POOLS:
                self.ceph("osd", "pool", "create", pool, "8", "8")
            (self.dir / "pools-are-made").touch()
        if manager.wait() != 0:
            fail("the manager does not start")
        self.await_writes()
        print(f"Ceph runs in {self.dir}, after {time.monotonic() - begin:.1f} s")

    def wipe(self):
        if not self.dir.exists():
            return
        if not (self.dir / MARK).exists():
            fail(f"{self.dir} was not made here")
        for daemon in reversed(DAEMONS):
            self.end(daemon, signal.SIGKILL)
        shutil.rmtree(self.dir)


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    command, directory, *rest = arguments
    node = Node(directory)
    if command == "start" and not rest:
        node.start()
    elif command == "wipe" and not rest:
        node.wipe()
    elif command == "kill" and rest[:1] and rest[0] in DAEMONS:
        node.end(rest[0], signal.SIGKILL)
    elif command == "up" and rest[:1] and rest[0] in DAEMONS:
        node.up(rest[0])
        if rest[0].startswith("osd"):
            node.await_writes()
    elif command in ("pause", "resume") and rest[:1] and rest[0] in DAEMONS:
        os.kill(node.pid(rest[0]), signal.SIGSTOP if command == "pause" else signal.SIGCONT)
    elif command == "quota" and len(rest) == 2:
        node.ceph("osd", "pool", "set-quota", rest[0], "max_bytes", rest[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
