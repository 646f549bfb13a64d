"""What /proc says of a deck and the processes that came of it."""
import os
import re


def read(path):
    with open(path) as file:
        return file.read()


def processes(pid):
    """A process and all that came of it."""
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            for child in read(f"/proc/{pid}/task/{task}/children").split():
                found += processes(int(child))
        except OSError:
            pass
    return found


def threads(pid):
    """Of the deck and its processes: (task, name, ns on a CPU)."""
    found = []
    for process in processes(pid):
        try:
            program = os.path.basename(read(f"/proc/{process}/cmdline").split("\0")[0])
            for task in os.listdir(f"/proc/{process}/task"):
                at = f"/proc/{process}/task/{task}"
                name = read(f"{at}/comm").strip() if process == pid else program
                found.append((int(task), name, int(read(f"{at}/schedstat").split()[0])))
        except OSError:
            pass  # it ended meanwhile
    return found


def usage(pid):
    """Of a deck and its processes: bytes of memory that are no guest's, descriptors but for
    sockets, which may linger, sockets, and threads."""
    total = {"memory": 0, "descriptors": 0, "sockets": 0, "threads": 0}
    for process in processes(pid):
        try:
            status = read(f"/proc/{process}/status")
            total["memory"] += int(re.search(r"RssAnon:\s*(\d+)", status).group(1)) * 1024
            total["threads"] += int(re.search(r"Threads:\s*(\d+)", status).group(1))
            for fd in os.listdir(f"/proc/{process}/fd"):
                what = os.readlink(f"/proc/{process}/fd/{fd}")
                total["sockets" if what.startswith("socket:") else "descriptors"] += 1
        except (OSError, AttributeError):
            pass  # it ended meanwhile
    return total
