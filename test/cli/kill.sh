#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc run, killed: at every system call that matters, in the foreground and in the background.
# Nothing of the task runs on, and the next gc (or run, or rm) leaves nothing.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"
need strace

uplink
# A store and the rules of a bridge may be there already, or not: begin with nothing.
baseline

no_plugins() { ! pgrep -x awsvpc >/dev/null && ! pgrep '^task-' >/dev/null; }
nothing_runs() { ! pgrep '^taskvpc' >/dev/null; }
# healed: what a kill left is found dead, and gc takes it away.
healed() {
	until_true nothing_runs || fail "processes: $(pgrep -a 'taskvpc')"
	until_true no_plugins
	told 0 gc
	is "" "$(tasks)" "tasks after gc"
	is "" "$("$TASKVPC" ls -q)" "ls after gc"
	clean
}

if group "while it runs"; then
	for mode in awsvpc bridge host none; do
		t "foreground, $mode"
		"$TASKVPC" run --mode $mode --name k -- sh -c 'sleep 64 & sleep 65' &
		pid=$!
		until_true runs_in k 'sleep 65'
		slay k
		wait $pid 2>/dev/null
		until_true gone 'sleep 6[45]'
		fails "what the task ran" pgrep -fx 'sleep 6[45]'
		is dead "$(row k .state)" "state"
		healed
	done
	t "background: its supervisor"
	start k -- sleep 66
	slay k
	until_true gone 'sleep 66'
	fails "what the task ran" pgrep -fx 'sleep 66'
	healed
	t "process 1 of the container"
	start k -- sleep 66
	kill -KILL "$(pid_of k main pid)"
	until_true gone_task k
	healed
	t "one of two containers"
	start k -- sleep 66
	told 0 run -d --task k --name side -- sleep 67
	slay k
	until_true gone 'sleep 66'
	is up "$(row k .state)" "state: the other lives"
	is "dead up" "$("$TASKVPC" inspect k --json | jq -r '[.[0].containers[].state] | join(" ")')" "containers"
	told 0 gc
	told 0 exec k/side -- ip -o -4 addr show eth0
	like '10\.200' "$OUT" "gc lets it live"
	t "the name of the dead one is free"
	told 0 run -d --task k --name main -- sleep 66
	told 0 rm k
	healed
fi

if group "killed when it has just said go"; then
	# Its child is held up where it asks to die with it.
	held_up() {
		# What looks for leaks wants ptrace for itself.
		ASAN_OPTIONS=detect_leaks=0 timeout -s KILL 20 strace -f -qq -o /dev/null -e trace=prctl -e inject=prctl:delay_enter=600000 \
			"$TASKVPC" "$@" >/dev/null 2>&1 &
		pid=$!
	}
	# kill_and_look PID: what it has started does not go on without it.
	kill_and_look() {
		sleep 0.2
		kill -KILL "$1"
		wait $pid 2>/dev/null
		fails "the command" test -e "$TMP/ran"
	}
	t "run"
	held_up run --mode none --name k -- touch "$TMP/ran"
	for ((i = 0; i < 3; i++)); do until_true test -s /run/taskvpc/run/k/main.pid && break; done
	kill_and_look "$(pid_of k main)"
	healed
	t "exec"
	start k --mode none -- sleep 66
	held_up exec k -- touch "$TMP/ran"
	for ((i = 0; i < 60; i++)); do
		exec=$(pgrep -x -P "$(pgrep -x -P $pid strace)" taskvpc) && pgrep -P "$exec" && break
		sleep 0.05
	done >/dev/null 2>&1
	kill_and_look "$exec"
	told 0 rm k
	healed
fi

if group "^C before there is a command"; then
	if command -v script >/dev/null; then
		# Process 1 is held up while it makes its mounts.
		{
			for ((i = 0; i < 3; i++)); do until_true test -s /run/taskvpc/run/k/main.pid && break; done
			sleep 0.2
			printf '\003'
			sleep 5
		} | env --default-signal=INT ASAN_OPTIONS=detect_leaks=0 script -qefc "exec strace -f -qq -o /dev/null -e trace=mount \
			-e inject=mount:delay_enter=400000 '$TASKVPC' run --mode none --name k -- sleep 4" /dev/null >/dev/null
		is 130 $? "exit code"
		healed
	else
		skip "needs script"
	fi
fi

if group "its guard"; then
	for words in 'awsvpc' 'bridge -p 8080:80' 'host' 'none'; do
		t "takes it down, $words"
		# shellcheck disable=SC2086 # they are words
		start k --mode $words -- sh -c 'sleep 64 & sleep 65'
		kill -KILL "$(pid_of k main)"
		until_true nothing_runs || fail "processes: $(pgrep -a taskvpc)"
		fails "what the task ran" pgrep -fx 'sleep 6[45]'
		is "" "$(tasks)" "tasks"
		is "" "$("$TASKVPC" ls -q)" "ls"
		is "[]" "$("$TASKVPC" ports --json | jq -c .)" "ports"
		clean
	done
	t "in the foreground; and who waits for its output is not kept waiting"
	is "killed" "$({ "$TASKVPC" run --name k -- sleep 65; echo killed; } 2>/dev/null | {
		until_true runs_in k 'sleep 65'
		kill -KILL "$(pid_of k main)"
		timeout 5 cat
	})" "output"
	until_true nothing_runs
	clean
	t "it holds nothing of the caller's, and is no child that one waits for"
	start k --mode none -- sleep 65
	guard=$(pgrep -x -P "$(pid_of k main)" taskvpc-guard)
	is "/dev/null /dev/null /dev/null" "$(readlink /proc/"$guard"/fd/[012] | paste -sd ' ')" "standard descriptors"
	is "2" "$(readlink /proc/"$guard"/fd/* | grep -vc /dev/null)" "others: the pipe, the supervisor"
	is "/" "$(readlink /proc/"$guard"/cwd)" "directory"
	kill -TERM "$guard"
	runs "it heeds no signal" kill -0 "$guard"
	told 0 rm k
	fails "it ends with the task" kill -0 "$guard"
	t "one of two containers: the task lives on"
	start k -- sleep 65
	told 0 run -d --task k --name side -- sleep 66
	kill -KILL "$(pid_of k main)"
	until_true gone 'sleep 65'
	told 0 exec k/side -- ip -o -4 addr show eth0
	like '10\.200' "$OUT" "its address"
	kill -KILL "$(pid_of k side)"
	until_true nothing_runs
	is "" "$(tasks)" "tasks"
	clean
	t "rm meets it at work"
	for ((i = 0; i < 10; i++)); do
		start k --mode bridge -- sleep 65
		kill -KILL "$(pid_of k main)"
		"$TASKVPC" rm k 2>/dev/null # it may be gone already
		is "" "$(tasks)" "tasks"
	done
	until_true nothing_runs
	clean
fi

if group "who heals"; then
	t "run"
	start k --mode bridge -p 8080:80 -- sleep 66
	slay k
	until_true nothing_runs
	refuses 66 'no container.*runs.*gc' exec k true
	told 0 run --mode bridge -p 8080:80 --name k -- true
	clean
	t "rm"
	start k --mode bridge -- sleep 66
	slay k
	until_true nothing_runs
	told 0 rm k
	clean
	t "rm --all"
	start k --mode bridge -- sleep 66
	start l -- sleep 66
	slay k
	told 0 rm --all --time 1
	clean
fi

if group "what cannot be read is not taken for nothing"; then
	file=/run/taskvpc/run/k/task.json
	start k -- sleep 66
	slay k
	until_true nothing_runs
	cp $file "$TMP/k.json"
	printf '\377' >>$file
	told 69 gc
	like "task k stays.*task.json is no valid JSON.*mend it" "${ERR//$'\n'/ }" "gc"
	refuses 69 'no valid JSON' rm k
	refuses 69 'task k stays' run --name k --mode none -- true
	runs "the namespace" test -e "$NETNS/k"
	cp "$TMP/k.json" $file
	healed
fi

if group "who heals does not meet the next of that name"; then
	# Who is killed between mkdir and open leaves a directory without a lock.
	mkdir -p /run/taskvpc/run/k
	# It is found; but before it is looked into, the name is given again.
	timeout -s KILL 20 strace -qq -o "$TMP/trace" -P /run/taskvpc/run/k/task.json \
		-e trace=openat -e inject=openat:delay_enter=1500000 \
		"$TASKVPC" run --mode none -- true >/dev/null 2>&1 &
	pid=$!
	until_true test -s "$TMP/trace" -o ! -e /run/taskvpc/run/k || fail "it is not found"
	start k -- sleep 68
	wait $pid
	is up "$(row k .state)" "state"
	told 0 exec k -- ip -o -4 addr show eth0
	like '10\.200' "$OUT" "its address"
	told 0 rm k
	healed
	t "without a lock, but not empty"
	mkdir -p /run/taskvpc/run/k/odd
	told 69 gc
	like 'run/k has no lock.*rm -r /run/taskvpc/run/k' "${ERR//$'\n'/ }" "gc"
	rm -r /run/taskvpc/run/k
	healed
fi

if group "at every system call"; then
	# Those that change something; strace counts each of them by itself.
	KINDS=(mkdir openat rename mount clone3 clone unshare setns pipe2 write pwrite64 unlink fcntl close)
	# killed_at KIND N WORD…: taskvpc, killed as it enters the N-th call of this kind.
	killed_at() {
		{
			timeout -s KILL 20 strace -qq -o /dev/null -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" \
				"$TASKVPC" "${@:3}"
		} >/dev/null 2>&1
		until_true nothing_runs || fail "processes: $(pgrep -a taskvpc)"
		until_true no_plugins || fail "plugins: $(pgrep -a task-)"
	}
	# each_kill FUNCTION WORD…: for each call that these words make: killed there, then FUNCTION.
	each_kill() {
		local after=$1 kind n i where=$CASE
		shift
		strace -qq -o "$TMP/trace" -e "trace=$(IFS=, && echo "${KINDS[*]}")" "$TASKVPC" "$@" >/dev/null 2>&1
		for kind in "${KINDS[@]}"; do
			n=$(grep -c "^$kind(" "$TMP/trace")
			for ((i = 1; i <= n; i += 1 + n / 12)); do
				t "$where, killed at $kind $i of $n"
				[ "$after" != gc_again ] || a_dead_task
				killed_at "$kind" "$i" "$@"
				"$after"
			done
		done
	}
	after_run() {
		"$TASKVPC" gc >/dev/null 2>"$TMP/stderr" || fail "gc: $(<"$TMP/stderr")"
		is "" "$(tasks)" "tasks"
		clean
	}
	for mode in awsvpc bridge none; do
		t "run, $mode"
		each_kill after_run run --mode $mode --name k -- true
	done
	t "run -d"
	after_detached() {
		"$TASKVPC" rm --all --time 0 >/dev/null 2>"$TMP/stderr" || fail "rm: $(<"$TMP/stderr")"
		after_run
	}
	KINDS=(pipe2 clone mkdir fcntl) each_kill after_detached run -d --mode none --name k -- sleep 0.2
	a_dead_task() {
		"$TASKVPC" run -d --mode bridge --name k -- sleep 66 >/dev/null
		slay k
		until_true nothing_runs
	}
	gc_again() { after_run; }
	t "gc"
	a_dead_task
	each_kill gc_again gc
fi

if group "many at once"; then
	begin_and_end() { "$TASKVPC" run --mode "$([ $(($1 % 2)) = 0 ] && echo awsvpc || echo bridge)" -- sh -c "exit $1"; }
	many 30 begin_and_end
	for ((i = 1; i <= 30; i++)); do is "$i" "$(<"$TMP/job/$i.rc")" "exit code $i: $(<"$TMP/job/$i.err")"; done
	healed
	t "of one name, one wins"
	same_name() { "$TASKVPC" run --name one --mode none -- sleep 1; }
	many 8 same_name
	is 1 "$(many_rc 0)" "those that ran"
	is 7 "$(many_rc 73)" "those that were refused"
	healed
	t "killed amid each other"
	victim() {
		"$TASKVPC" run --mode bridge -- sleep 30 &
		local pid=$!
		sleep "0.0$((RANDOM % 10))"
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
	}
	many 20 victim
	healed
fi

finish
