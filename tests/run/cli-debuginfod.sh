#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Names and lines of a stripped program come from a server in DEBUGINFOD_URLS;
# one that does not answer is asked once, and told of.
set -u
"$MTRACE" -V | grep -q 'debuginfod  *yes' || { echo "built without debuginfod"; exit 77; }
for tool in strip objcopy readelf; do
	command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
cd "$OUT" || exit 1
id=$(readelf -n "$PROGRAM" | sed -n 's/.*Build ID: *\([0-9a-f]*\).*/\1/p')
[ -n "$id" ] || { echo "no build id"; exit 77; }
mkdir -p "files/buildid/$id"
objcopy --only-keep-debug "$PROGRAM" "files/buildid/$id/debuginfo" && strip -o stripped "$PROGRAM" ||
	exit 77
failed=0

cat >server.py <<'END'
import functools, http.server, socket, sys, time
silent = sys.argv[1] == "silent"
if silent:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
else:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="files")
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    port = server.server_port
with open("port", "w") as f:
    print(port, file=f)
if silent:
    time.sleep(60)
else:
    server.serve_forever()
END

serve() {
	rm -f port
	python3 server.py "$1" 2>server.log &
	server=$!
	tries=0
	until [ -s port ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { echo "no server"; cat server.log; kill $server; exit 77; }
		sleep 0.02
	done
	DEBUGINFOD_URLS=http://127.0.0.1:$(cat port)/
	export DEBUGINFOD_URLS
}

shows() { # REGEX TEXT
	grep -Eq "$1" err || { echo "$2"; cat err; failed=1; }
}

export DEBUGINFOD_CACHE_PATH="$OUT/cache" DEBUGINFOD_TIMEOUT=1 DEBUGINFOD_RETRY_LIMIT=0
unset no_proxy http_proxy
serve files
timeout -k 5 30 "$MTRACE" ./stripped >out 2>err
kill $server
shows 'main +hello.c:[0-9]+' "no lines from the server"

rm -rf cache
serve silent
timeout -k 5 30 "$MTRACE" ./stripped >out 2>err
kill $server
shows 'mtrace: debuginfod: the server is too slow for ' "nothing is said of the silent server"
[ "$(grep -c 'too slow' err)" = 1 ] || { echo "asked more than once"; cat err; failed=1; }
shows 'stripped\+0x' "no report"
exit $failed
