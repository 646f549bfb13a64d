#!/usr/bin/env python3
"""Section [cloud]: the seed, as Linux and as cloud-init itself read it, and what is refused."""
import json
import os
import re
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import linux
import proc

KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICsYTASSAwbE0OoyEvI+7ioFEARSN5xqmNTHc+MMopPQ me@host")


def private(folder, name, text):
    path = folder.write(name, text)
    os.chmod(path, 0o600)
    return path


def cloud(folder, words):
    folder.guest("web", f"[guest]\nmemory = 32M\n[boot]\nfirmware = none\n[cloud]\n{words}")


def person(folder, words=""):
    """A guest of somebody with a password and a key."""
    private(folder, "password", "secret\n")
    folder.write("keys.pub", KEY + "\n")
    cloud(folder, f"user = deckhand\npassword_file = {folder.path}/password\n"
                  f"ssh_key = {folder.path}/keys.pub\n{words}")


def seed_of(deck):
    """The image that a running guest has, which has no name any more; or None."""
    for pid in proc.processes(deck.process.pid):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{fd}"
            try:
                if re.search(r"/seed-\w+ \(deleted\)$", os.readlink(path)):
                    with open(path, "rb") as file:
                        return file.read()
            except OSError:
                pass  # it has been closed meanwhile
    return None


def unpacked(folder, image):
    """The documents of an image, by xorriso."""
    if not image:
        return None
    path, at = os.path.join(folder.path, "seed.iso"), os.path.join(folder.path, "unpacked")
    with open(path, "wb") as file:
        file.write(image)
    subprocess.run(["xorriso", "-osirrox", "on", "-indev", path, "-extract", "/", at],
                   check=True, capture_output=True)
    documents = {name: open(os.path.join(at, name)).read() for name in os.listdir(at)}
    subprocess.run(["chmod", "-R", "u+w", at], check=True)
    subprocess.run(["rm", "-r", at], check=True)
    return documents


def test_linux_reads_the_seed():
    d.need("xorriso")
    d.linux_kernel()
    text = "#cloud-config\n" + "".join(f"# line {i}\n" for i in range(3000))

    def prepare(folder):
        own = folder.write("own", text)
        folder.guest("linux", linux.profile("bzImage", "on=vdb,file=user-data",
                                            f"[disk0]\npath = {folder.path}/disk.img\n"
                                            f"[cloud]\nuser_data = {own}\n"))
        with open(os.path.join(folder.path, "disk.img"), "wb") as image:
            image.truncate(1 << 20)

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: file ", linux.PATIENCE)
        assert console.expect("\n", linux.PATIENCE).split() == [
            str(len(text)), f"{zlib.crc32(text.encode()):08x}"]
        deck.wait_state("linux", "stopped", seconds=linux.PATIENCE)
        assert deck.call("guest.show", {"guest": "linux"})["reason"] == "powered off"
        assert not [name for name in os.listdir(os.path.join(deck.path, "run/vmdeck"))
                    if name.startswith("seed")]


def test_the_image_is_a_seed_that_changes_with_its_words():
    d.need("xorriso", "blkid")
    d.need_kvm()
    if os.getuid() != 0:
        d.skip("only root sees what a deck has open")

    with d.Deck(prepare=person) as deck:
        assert deck.run("start", "web").returncode == 0
        image = seed_of(deck)
        first = unpacked(deck, image)
        label = subprocess.run(["blkid", "-p", "-o", "value", "-s", "LABEL",
                                os.path.join(deck.path, "seed.iso")], check=True,
                               capture_output=True, text=True).stdout
        assert label == "cidata\n", label
        assert sorted(first) == ["meta-data", "user-data"], first
        assert b"secret" not in image and KEY in first["user-data"]
        assert deck.run("stop", "--force", "--wait", "web").returncode == 0
        assert not seed_of(deck), "the seed outlives its guest"
        assert deck.run("start", "web").returncode == 0
        assert unpacked(deck, seed_of(deck)) == first
        private(deck, "password", "other\n")
        assert deck.run("reset", "web").returncode == 0
        other = d.wait_for(lambda: [seed for seed in [unpacked(deck, seed_of(deck))]
                                    if seed not in (None, first)], "the guest's new seed")[0]
        assert json.loads(first["meta-data"])["instance-id"] != \
            json.loads(other["meta-data"])["instance-id"]


# cloud-init in a copy of this system that takes what it writes, and names of its own.
SYSTEM = """set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
cd "$1/root"
mount -t proc none proc
mount --bind /dev dev
mount -t tmpfs none run
rm -rf var/lib/cloud
mkdir -p var/lib/cloud/seed etc/cloud/cloud.cfg.d
cp -r "$2" var/lib/cloud/seed/nocloud-net
printf 'datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\n' >etc/cloud/cloud.cfg.d/99-test.cfg
chroot . cloud-init schema --config-file /var/lib/cloud/seed/nocloud-net/user-data >&2
chroot . cloud-init init >&2
chroot . cloud-init single --name timezone >&2
chroot . cloud-init single --name write-files >&2
if command -v systemd-analyze >&2; then
	chroot . systemd-analyze verify /etc/systemd/system/vmdeck-ssh.socket >&2
fi
cat etc/hostname etc/passwd etc/shadow home/*/.ssh/authorized_keys etc/sudoers.d/* etc/timezone etc/systemd/system/vmdeck*
"""


def test_cloud_init_does_what_the_profile_says():
    d.need("xorriso", "cloud-init", "unshare", "chroot")
    d.need_kvm()
    if os.getuid() != 0:
        d.skip("only root can give cloud-init a system")

    words = ("hostname = www.example.org\ntimezone = Europe/Berlin\n"
             "run = 'echo \"a: b\" # {'\n[vsock]\n")
    with d.Deck(prepare=lambda folder: person(folder, words)) as deck:
        assert deck.run("start", "web").returncode == 0
        for name, text in unpacked(deck, seed_of(deck)).items():
            deck.write(f"nocloud/{name}", text)
        os.mkdir(os.path.join(deck.path, "system"))
        done = subprocess.run(["unshare", "-m", "-u", "-p", "-f", "sh", "-c", SYSTEM, "sh",
                               os.path.join(deck.path, "system"), os.path.join(deck.path, "nocloud")],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=d.PATIENCE)
        if done.returncode == 77:
            d.skip("no overlay file system can be mounted here")
        assert done.returncode == 0, done
        assert "Valid cloud-config" in done.stderr, done.stderr
        assert re.search(r"^www$", done.stdout, re.M), done.stdout
        assert re.search(r"^deckhand:\$6\$", done.stdout, re.M), done.stdout
        assert KEY in done.stdout and "deckhand ALL=(ALL) NOPASSWD:ALL" in done.stdout, done.stdout
        assert "Europe/Berlin" in done.stdout and "ListenStream=vsock::22" in done.stdout, done
        assert (deck.call("guest.show", {"guest": "web"})["ssh"] ==
                "ssh -o ProxyCommand='vmdeck connect %h 22' deckhand@web.vmdeck")


def test_mistakes_are_sentences():
    with d.Folder() as folder:
        folder.write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
        os.chmod(folder.write("open", "secret"), 0o644)
        for words, text in (
                ("user = Me\n", ":6: user: 'Me' is no user's name"),
                ("ssh_key = missing\n", "missing: No such file"),
                (f"ssh_key = {folder.path}/id\n", "is a private key"),
                (f"user = me\npassword_file = {folder.path}/open\n", "chmod 600"),
                ("hostname = a_b\n", "is no name of a host"),
                ("packages = -o\n", "is no package"),
                (f"user = me\nuser_data = {folder.path}/id\n", "leave out the other keys")):
            cloud(folder, words)
            wrong = folder.run("check")
            assert wrong.returncode == 1 and text in wrong.stdout, (words, wrong)
            assert len([line for line in wrong.stdout.splitlines()
                        if "warning: " not in line]) == 1, wrong
        cloud(folder, "")
        assert folder.run("check").returncode == 0


def test_a_program_that_fails_is_told():
    d.need_kvm()
    tool = """#!/bin/sh
echo 'xorriso 1.5.4 : RockRidge filesystem manipulator' >&2
case "$*" in *none*) exit 0;; esac
echo 'xorriso : FAILURE : The moon is full' >&2
exit 5
"""

    def prepare(folder):
        os.chmod(folder.write("tools/xorriso", tool), 0o755)
        folder.env["VMDECK_PROGRAMS"] = os.path.join(folder.path, "tools")
        cloud(folder, "")

    with d.Deck(prepare=prepare) as deck:
        failed = deck.run("start", "web")
        assert failed.returncode == 1, failed
        assert "The moon is full" in failed.stderr, failed
        os.chmod(deck.write("tools/xorriso", "#!/bin/sh\nexit 0\n"), 0o755)
        failed = deck.run("start", "web")
        assert failed.returncode == 1 and "what xorriso made is no CD" in failed.stderr, failed


if __name__ == "__main__":
    d.main()
