#!/bin/sh
# Drives the screen in tmux against a mock server: presses keys, reads the
# screen. Each part has a server of its own. Needs tmux and python3.
builddir=${builddir:-.}
srcdir=${srcdir:-.}
client=$(cd "$builddir" && pwd)/tests/e2e/tui_client
mock=$(cd "$srcdir" && pwd)/tests/e2e/mock_server.py

for program in tmux python3; do
	if ! command -v $program >/dev/null; then
		echo "tui_mock: $program was not found"
		exit 77
	fi
done
if ! locale -a 2>/dev/null | grep -qi '^C\.utf-\?8$'; then
	echo "tui_mock: there is no locale C.UTF-8"
	exit 77
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/tui_mock.XXXXXX") || exit 99
name=vmdeck-test-$$
server=
failed=0
unset TMUX TMUX_PANE NO_COLOR VISUAL
EDITOR=$dir/editor
export EDITOR

t() {
	tmux -L "$name" -f /dev/null "$@"
}

stop() {
	t kill-server 2>/dev/null
	if [ -s "$dir/run/err" ]; then
		echo "FAIL: the screen wrote to standard error:"
		cat "$dir/run/err"
		failed=1
	fi
	exec 9>&-
	if [ -n "$server" ]; then
		wait "$server"
		server=
	fi
}

cleanup() {
	stop
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 99' INT TERM

# start WIDTH HEIGHT MODE [VARIABLE=VALUE...]
start() {
	width=$1 height=$2 mode=$3
	shift 3
	stop
	rm -rf "$dir/run"
	mkdir "$dir/run"
	mkfifo "$dir/run/hold"
	python3 "$mock" "$dir/run/sock" "$mode" <"$dir/run/hold" 2>"$dir/run/mock.err" 9>&- &
	server=$!
	exec 9>"$dir/run/hold"
	tries=0
	while [ ! -S "$dir/run/sock" ] && [ $tries -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	printf '#!/bin/sh\n%s\n' \
		"env LC_ALL=C.UTF-8 $* $client $dir/run/sock 2>$dir/run/err; stty -a; cat" \
		>"$dir/run/session"
	t new-session -d -x "$width" -y "$height" "sh $dir/run/session" 9>&-
	t set-option -g status off
	t resize-window -x "$width" -y "$height"
}

key() {
	t send-keys "$@"
}

screen() {
	t capture-pane -p
}

# see PATTERN [what]: waits until the screen shows it.
see() {
	tries=0
	while [ $tries -lt 100 ]; do
		screen >"$dir/screen"
		if grep -q -e "$1" "$dir/screen"; then
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	echo "FAIL: not on the screen: $1"
	cat "$dir/screen" "$dir/run/err" "$dir/run/mock.err"
	failed=1
	return 1
}

# gone PATTERN: waits until the screen no longer shows it.
gone() {
	tries=0
	while [ $tries -lt 100 ]; do
		screen >"$dir/screen"
		if ! grep -q -e "$1" "$dir/screen"; then
			return 0
		fi
		sleep 0.1
		tries=$((tries + 1))
	done
	echo "FAIL: still on the screen: $1"
	cat "$dir/screen"
	failed=1
	return 1
}

# asked PATTERN: waits until the server was asked this.
asked() {
	tries=0
	while [ $tries -lt 100 ]; do
		grep -q -e "$1" "$dir/run/sock.log" 2>/dev/null && return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	echo "FAIL: the server was not asked: $1"
	cat "$dir/run/sock.log"
	failed=1
	return 1
}


echo "deck: list, charts full at once, orders"
start 120 40 ""
see 'db .*running'
see 'web .*running'
see 'build-box .*stopped'
see 'CPU .*of 4 vCPUs'
see 'Network.*in .*out'
see 'Memory.*of 4.0G'
see 'Disk.*read.*write'
see '⣿⣿⣿⣿'
see 'Enter details'
asked 'stats.subscribe.*"history": true'
see 'Host CPU 230% of 8 · memory 12.0G of 32.0G · memory pressure 0.0% · KVM'
see '│ together  '
see 'a capture has ended'
if screen | tail -n 2 | grep 'has ended'; then
	echo "FAIL: an old message is shown as if it were new"
	failed=1
fi
key j
see 'CPU .*of 2 vCPUs'
key p
see 'web .*paused'
see '3 guests · 1 running · 1 paused'
asked 'guest.pause {"guest": "web"}'
key p
see 'web .*● running'
key F
see 'Force web off?'
key n
gone 'Force web off?'
key F
see 'Force web off?'
key y
see 'web .*○ stopped'
asked 'guest.off {"guest": "web"}'
key p
see 'cannot be ordered this'
key s
see 'web .*● running'
key S
see 'Shut web down? y: shut it down, any other key: let it run'
key n
gone 'Shut web down?'
see 'web .*● running'
key S
see 'Shut web down?'
key y
see 'web .*○ stopped'
asked 'guest.stop {"guest": "web"}'
key s
see 'web .*● running'
key L
see 'Messages'
see 'cannot be ordered this'
key q
key /
see 'Show guests with:'
key b u i
see 'Guests matching bui'
gone 'web *● running'
key C-h
see 'Guests matching bu '
key Escape
gone 'Guests matching'
see 'web *● running'
key /
see 'Show guests with:'
key b u i Enter
gone 'Show guests with:'
see 'Guests matching bui'
gone 'web *● running'
see 'build-box is not running'
key / C-u Enter
see 'web .*running'

echo "marks: one order for all of them"
key Escape g Space Space
see '2 marked · 3 guests'
see '◆db '
key F
see 'Force db and web off?'
key n
gone 'Force db and web off?'
key p
see 'Paused: db and web\.'
asked 'guest.pause {"guest": "db"}'
see '3 guests · 0 running · 2 paused'
key '*'
see '1 marked'
see '◆build-box '
key '*' p
see 'Resumed: db and web\.'
key u
gone 'marked'

echo "sorting: by keys, by the mouse, in a terminal that sends it as X10 did"
key F6
see 'Sort by?'
key F6
gone 'Sort by?'
see '▼Name'
if ! screen | sed -n 5p | grep -q ' build-box '; then
	echo "FAIL: the list is not reversed"
	screen
	failed=1
fi
key F6
see 'Sort by?'
key c
see '▼CPU%'
asked 'stats.subscribe.*"guests": "\*"'
key I
see '▲CPU%'
t send-keys -H 1b 5b 4d 20 23 24 # the first column's head
see '▲Name'
asked 'stats.cancel'
if ! screen | sed -n 5p | grep -q ' db '; then
	echo "FAIL: the list is not sorted by name"
	screen
	failed=1
fi
t send-keys -H 1b 5b 4d 20 26 27 # the last row
see 'build-box is not running'
key g

echo "details"
key g
key Enter
see 'VM exits by reason'
see 'virtio-net0 *driver ready'
see 'MMIO .*/s'
key q
gone 'VM exits'

echo "help is the table of keys"
key '?'
see 'press the guest.s power button'
see 'scroll back'
key Escape
see 'Guests ─'

echo "console"
key c
see 'Welcome\|boot line 100'
see "green reverse 中文 e$(printf '\314\201')"
see 'db ● running.*Ctrl-\] q leaves'
key l s Enter
see '\$ ls'
asked 'typed 6c'
asked 'typed 1b5b[0-9a-f]*52' # the answer to its cursor report
key F1 Up
asked 'typed 1b4f501b5b41'
key C-Up S-End M-Left
asked 'typed 1b5b313b35411b5b313b32461b5b313b3344'
key m # the guest asks for the mouse, as SGR has it
see 'mouse on'
t send-keys -H 1b 5b 4d 20 26 27
asked 'typed 1b5b3c303b363b374d'
t send-keys -H 1b 5b 4d 23 26 27
asked 'typed 1b5b3c303b363b376d'
key PageUp
see 'lines back'
see 'boot line 50'
key PageDown
gone 'lines back'
t resize-window -x 80 -y 24
see 'Ctrl-\] q leaves'
t resize-window -x 120 -y 40
key C-] q
see 'Guests ─'
key c
see "green reverse 中文 e$(printf '\314\201')"
key C-] q
see 'Guests ─'

echo "network"
key n
see 'db/net0 .*kB/s'
see '15 no buffer'
see 'db  *web  *TCP'
key a
see '10.0.2.15 *10.0.2.16 *TCP'
key a
see 'dropped at web/net0: no buffer'
see '10.0.2.16 *web demo '
key Space
see 'held; .*since; Space follows'
key '?'
see 'Tab *go to the next pane'
key Escape
see 'held; .*since; Space follows'
key Space
see 'following'
key f
see 'Packets matching:'
key n o n s e n s e Enter
see 'syntax error in filter expression'
key f
see 'Packets matching: nonsense'
key C-u a r p Enter
see 'Packets matching arp'
asked '"filter": "arp"'
see 'matching arp from here on'
gone 'syntax error'
key w
see 'Capture lan matching arp to'
key Enter
see 'capturing (x ends it) .*120 packets.*pcapng'
see ' 1 capture '
key x
see 'The capture has 123 packets'
gone 'capturing (x'
key Tab j
see 'Network backbone'
asked 'host.cancel'
asked 'packets.subscribe {"switch": "backbone"'
key q
see 'Guests ─'
asked 'packets.cancel'

echo "editor"
printf '#!/bin/sh\necho "edited: $1"\necho "wrong = 1" >>"$1"\n' >"$dir/editor"
chmod +x "$dir/editor"
printf '[guest]\nname = db\n' >"$dir/run/db.ini"
key g
key e
see 'db.ini:3: wrong = 1: is not a key of a profile'
asked 'deck.reload'
printf '#!/bin/sh\nsed -i /wrong/d "$1"\n' >"$dir/editor"
key e
see 'db.ini is valid'
key j e
see 'built in and has no profile'

echo "sizes"
t resize-window -x 80 -y 24
see 'CPU .*vCPUs'
see 'q leave'
t resize-window -x 60 -y 20
see 'web .*running'
t resize-window -x 20 -y 5
see 'web'
t resize-window -x 19 -y 4
see 'The terminal has'
t resize-window -x 200 -y 50
see 'Messages ─'
see '⣿⣿⣿⣿'

echo "leaving"
key q
see 'leave them running'
key Escape
gone 'leave them running'
key q
see 'l: leave'
key l
see 'result: leave'
see ' icanon .* echo '

echo "shutting down"
start 100 30 ""
see 'db .*running'
key q
see 's: shut them down'
key s
see 'result: quit'
asked 'deck.quit {"mode": "shutdown"}'

echo "keys of another terminal than TERM says"
start 80 24 "" TERM=xterm-256color
see 'db .*running'
key End
see '^ build-box '
key Home
see '^ db running'

# shown COLOUR TEXT: the text has that colour, as tmux names it.
shown() {
	t capture-pane -p -e >"$dir/screen"
	grep -q "38;$1m$2" "$dir/screen" && return
	echo "FAIL: not in the colour $1: $2"
	cat -v "$dir/screen"
	failed=1
}

echo "colours of a console"
start 120 40 "" TERM=xterm-direct
see 'db .*running'
key c
see 'true cube grey'
shown '2;18;52;86' true
shown '2;255;135;0' cube
shown '2;128;128;128' grey
start 120 40 "" TERM=xterm-256color
see 'db .*running'
key c
see 'true cube grey'
shown '5;24' true # the next one of the cube
shown '5;208' cube
shown '5;244' grey

echo "hostile names; without colour"
start 120 40 hostile NO_COLOR=1
see 'evil.*running'
see 'bad .*invalid'
see 'web .*● running *×14 '
key j
see 'running for .* · restarted 14 times'
key Enter
see 'Restarts  *14 since it was started'
see 'Power button pressed 1m[0-9]*s ago'
key q
key g
gone 'yyyyyyyyyyy'
key G
see 'Mistakes in the profile'
see 'line 3: memory'
key k
see 'triple fault'
key Enter
see 'Kernel panic'
see 'rip ffffffff8100a3f2'
key q
t capture-pane -pe >"$dir/colours"
if grep -q "$(printf '\033\\[[0-9;]*3[0-7]m')" "$dir/colours"; then
	echo "FAIL: NO_COLOR is not honoured"
	failed=1
fi

echo "ASCII"
start 120 40 "" LC_ALL=C
see 'db .*\* running'
see '####'
if screen | LC_ALL=C grep -q "$(printf '[\200-\377]')"; then
	echo "FAIL: more than ASCII without a UTF-8 locale"
	screen
	failed=1
fi

echo "many guests: only rows in sight are asked for"
start 80 24 many
see 'node0'
key l
see 'node13'
gone 'CPU .*%.*─'
key v
see 'CPU .*%.*─'
gone 'web .*running .*MB'
key v
see 'web .*running'
key G
see 'node56'
asked 'stats.subscribe.*node56'
if grep 'stats.subscribe' "$dir/run/sock.log" | grep -q 'node00.*node56'; then
	echo "FAIL: samples of guests out of sight were asked for"
	failed=1
fi

echo "SIGTERM ends the screen and no guest"
start 80 24 ""
see 'db .*running'
pid=$(t list-panes -F '#{pane_pid}')
for child in $(cat "/proc/$pid/task/$pid/children"); do
	kill -TERM "$child"
done
see 'result: hangup'
if grep 'deck.quit' "$dir/run/sock.log"; then
	echo "FAIL: the screen ended the deck"
	failed=1
fi

echo "the terminal goes"
start 80 24 ""
see 'db .*running'
key c
see 'Ctrl-\] q leaves'
t kill-session
tries=0
while [ ! -s "$dir/run/sock.result" ] && [ $tries -lt 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
if ! grep -q 'result: hangup' "$dir/run/sock.result"; then
	echo "FAIL: the screen did not notice that its terminal went away"
	failed=1
fi

echo "the core goes"
start 80 24 ""
see 'db .*running'
exec 9>&-
wait "$server"
server=
see 'result: lost: '

echo "causes"
start 80 24 "" TERM=
see 'failed: .*TERM is not set'
start 80 24 "" TERM=nosuchterm
see 'the terminal database does not'
start 80 24 "" TERM=dumb
see 'cannot place its cursor'
if "$client" "$dir/none" </dev/null >"$dir/out" 2>&1; then
	failed=1
fi
grep -q 'needs a terminal' "$dir/out" || failed=1

stop
exit $failed
