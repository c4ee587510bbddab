#!/bin/sh
# PID 1 of the guest: mounts what a host has, runs /vm/script, hands its output and exit status to
# the host through virtio ports, and ends the machine. Port 1 is stdout, 2 stderr, 3 the end
# marker, 4 a tar archive of /results.

# Mounts each FSTYPE:DIRECTORY whose directory the kernel has.
mount_all() {
  for pair in "$@"; do
    [ ! -d "${pair#*:}" ] || mount -t "${pair%%:*}" "${pair%%:*}" "${pair#*:}"
  done
}

mount_all proc:/proc sysfs:/sys devtmpfs:/dev tmpfs:/run tmpfs:/tmp
mkdir /dev/pts /dev/shm
mount_all devpts:/dev/pts tmpfs:/dev/shm tracefs:/sys/kernel/tracing debugfs:/sys/kernel/debug \
  securityfs:/sys/kernel/security cgroup2:/sys/fs/cgroup bpf:/sys/fs/bpf
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
chmod 1777 /tmp /dev/shm
ip link set lo up
hostname vm

for module in /vm/modules/*.ko; do
  [ ! -e "$module" ] || insmod "$module"
done
until [ -c /dev/vport0p4 ]; do usleep 10000; done

# The script writes to pipes: a virtio port can be opened by one process only, so that
# /dev/stdout would fail on it.
mkfifo /vm/stdout /vm/stderr
cat /vm/stdout >/dev/vport0p1 &
out=$!
cat /vm/stderr >/dev/vport0p2 &
err=$!
export PATH=/usr/bin:/usr/sbin HOME=/root LANG=C.UTF-8 TERM=dumb
cd /root
setsid /vm/script </dev/null >/vm/stdout 2>/vm/stderr
status=$?

# What the script left behind would hold the pipes open. Kernel threads have no exe.
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  case $pid in 1 | "$out" | "$err") continue ;; esac
  [ ! -e "$process/exe" ] || kill -9 "$pid"
done 2>/dev/null
wait "$out" "$err"
tar -C /results -cf - . >/dev/vport0p4
echo "exit $status" >/dev/vport0p3
reboot -f
