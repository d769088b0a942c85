"""The limits of a ward hold, for a grader that is root, too."""

from __future__ import annotations

from tests.jail.bare import LIMITS, BareJail

MIB = 1 << 20


def test_memory_of_one_process(jailed: BareJail) -> None:
    limit = LIMITS["memory_bytes"]
    assert jailed.value(f"len(bytearray({limit // 2}))") == limit // 2
    assert jailed.value(f"len(bytearray({limit + 8 * MIB}))") == "MemoryError"
    assert jailed.value(f"len(mmap.mmap(-1, {limit + 8 * MIB}))", "import mmap") == "OSError"


def test_processes(jailed: BareJail) -> None:
    code = """
import os, time
count = 0
while True:
    try:
        if not os.fork():
            time.sleep(60)
            os._exit(0)
    except OSError:
        break
    count += 1
print(count)
"""
    ran = jailed.run(code, processes=20)
    assert ran.output.strip() == "19", ran  # and this process itself
    assert jailed.run(code, processes=20).output.strip() == "19", "every ward has its own count"


def test_a_fork_bomb_ends_with_its_ward(jailed: BareJail) -> None:
    bomb = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    ran = jailed.run(bomb, seconds=1)
    assert ran.late
    assert ran.seconds < 10
    assert jailed.run("print('well')").output == "well\n"


def test_threads_count_as_processes(jailed: BareJail) -> None:
    code = """
import threading, time
count = 0
try:
    while count < 100:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    print(count)
    import os, sys
    sys.stdout.flush()
    os._exit(0)
"""
    assert jailed.run(code, processes=20).output.strip() == "19"


def test_open_files(jailed: BareJail) -> None:
    setup = """
import os
def many():
    count = 0
    try:
        while True:
            os.open("/dev/null", os.O_RDONLY)
            count += 1
    except OSError:
        return count
"""
    assert jailed.value("many()", setup) < LIMITS["open_files"]


def test_one_file(jailed: BareJail) -> None:
    setup = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    size = LIMITS["file_bytes"]
    expression = '[file.write(bytes({})), file.write(b"x")]'
    setup += "; file = open('/tmp/a', 'wb', buffering=0)"
    assert jailed.value(expression.format(size - 1), setup) == [size - 1, 1]
    assert jailed.value(expression.format(size), setup) == "OSError"


def test_the_whole_disk_is_home_and_tmp_and_shared_memory_together(jailed: BareJail) -> None:
    setup = """
import os
def fill():
    written = 0
    for number in range(100):
        for folder in ("/tmp", "/home/learner", "/dev/shm"):
            try:
                with open(f"{folder}/{number}", "wb", buffering=0) as file:
                    written += file.write(bytes(1 << 20))
            except OSError:
                return written
"""
    written = jailed.value("fill()", setup)
    assert LIMITS["disk_bytes"] - 2 * MIB <= written <= LIMITS["disk_bytes"]


def test_the_number_of_files(jailed: BareJail) -> None:
    setup = """
def many():
    for count in range(10**6):
        try:
            open(f"/tmp/{count}", "w").close()
        except OSError:
            return count
"""
    assert jailed.value("many()", setup) < 5000


def test_processor_time(jailed: BareJail) -> None:
    ran = jailed.run(
        "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        cpu_seconds=1,
        seconds=20,
    )
    assert not ran.late
    assert ran.status == 128 + 9


def test_no_core_is_left(jailed: BareJail) -> None:
    found = jailed.value("resource.getrlimit(resource.RLIMIT_CORE)", "import resource")
    assert found == [0, 0]
