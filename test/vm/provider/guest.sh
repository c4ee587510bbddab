#!/bin/sh
# Arguments: the event that is registered with other fields than "checkout" was.
cd /results
line() { until grep -q "$1" "$2" 2>/dev/null; do sleep 0.2; done; }

bun /test/program.js checkout typed >typed.out 2>typed.err & typed=$!
line registered typed.out
sonde run /test/shop.yaml --events 5 >records.jsonl 2>sonde.err & sonde=$!
line enabled typed.out
bun /test/program.js late plain >late.out 2>late.err & late=$!
line enabled late.out
bun /test/program.js "$1" plain >other.out 2>other.err & other=$!
wait $sonde
echo $? >sonde.status
wait $typed
line disabled late.out
line disabled other.out
cat /sys/kernel/tracing/user_events_status >held.status
kill -9 $late $other
wait
sleep 1
cat /sys/kernel/tracing/user_events_status >killed.status
dmesg >dmesg
