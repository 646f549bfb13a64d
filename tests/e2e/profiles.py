#!/usr/bin/env python3
"""Profiles that change under a deck: seen by themselves, applied or said to be applied later."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PLAIN = "[guest]\nmemory = %dM\n[boot]\ncmdline = name=plain\nfirmware = none\n"
CARD = PLAIN % 16 + "[net0]\nswitch = %s\n"
SWITCH = "[switch]\nuplink = none\naddress = 10.0.%d.2/24\n"


def said(deck, text):
    """Whether a line of this text is among what the deck has said."""
    with open(deck.errors) as file:
        return [line for line in file if text in line]


def wait_said(deck, text):
    return d.wait_for(lambda: said(deck, text), f"the deck to say {text!r}")


def names(deck):
    return [guest["name"] for guest in deck.call("guest.list")["guests"]]


def shown(deck, guest, key):
    return deck.call("guest.show", {"guest": guest})[key]


def addresses(deck):
    return {switch["name"]: switch.get("address", "") for switch in
            deck.call("switch.list")["switches"]}


def test_profiles_are_copied_renamed_and_deleted():
    text = "# of a\n[guest]\nname = a\nmemory = 16M\n[boot]\nfirmware = none\n[net0]\n" \
           "switch = lan\nmac = 52:54:00:00:00:01\n"
    with d.Folder() as folder:  # without a deck
        folder.guest("a", text)
        assert folder.run("clone", "a", "b").stdout == f"{folder.guests}/b.ini\n"
        with open(os.path.join(folder.guests, "b.ini")) as file:
            assert file.read() == text.replace("name = a\n", "").replace(
                "mac = 52:54:00:00:00:01\n", "")
        done = folder.run("clone", "a", "b")
        assert done.returncode == 1 and "b.ini is there already" in done.stderr, done
        done = folder.run("rename", "nobody", "c")
        assert done.returncode == 1 and "guest 'nobody': there is none" in done.stderr, done
    d.need_kvm()
    with d.Deck(prepare=lambda folder: folder.guest("a", text)) as deck:
        assert deck.run("clone", "a", "b").returncode == 0
        d.wait_for(lambda: names(deck) == ["a", "b"], "the copy")
        assert deck.run("rename", "b", "c").returncode == 0
        d.wait_for(lambda: names(deck) == ["a", "c"], "the other name")
        assert deck.run("start", "--wait", "c").returncode == 0
        for command in ("rename", "c", "e"), ("delete", "c"):
            done = deck.run(*command)
            assert done.returncode == 1 and "c runs; 'vmdeck stop --wait c'" in done.stderr, done
        assert deck.run("stop", "--force", "--wait", "c").returncode == 0
        assert deck.run("delete", "c").returncode == 0
        d.wait_for(lambda: names(deck) == ["a"], "one guest")


def test_tags_find_guests():
    def prepare(folder):
        for name, tags in ("a", "lab, web"), ("b", "Lab"), ("c", ""):
            folder.guest(name, f"[guest]\nmemory = 16M\ntags = {tags}\n")
    with d.Deck(prepare=prepare) as deck:
        assert [guest["tags"] for guest in deck.json("list")["guests"]] == [["lab", "web"], ["Lab"], []]
        assert [guest["name"] for guest in deck.json("list", "--tag", "lab")["guests"]] == ["a", "b"]
        shown = deck.run("list", "-t", "web").stdout.splitlines()
        assert len(shown) == 2 and shown[1].startswith("a "), shown
        assert "tags       lab web\n" in deck.run("show", "a").stdout


def test_new_profiles_are_seen_by_themselves():
    def prepare(folder):
        shutil.rmtree(os.path.join(folder.path, "config"))

    with d.Deck(prepare=prepare) as deck:
        assert names(deck) == []
        deck.guest("a", PLAIN % 16)
        d.wait_for(lambda: names(deck) == ["a"], "the first guest")
        assert said(deck, "a: new profile"), open(deck.errors).read()
        deck.guest("b", "[guest]\ncpus = 0\n")
        d.wait_for(lambda: deck.state("b") == "invalid", "a guest that is invalid")
        wait_said(deck, "b: its profile has mistakes: b.ini:2: cpus: ")
        deck.guest("b", PLAIN % 16)
        wait_said(deck, "b: its profile is valid")
        deck.guest("b", PLAIN % 32)
        wait_said(deck, "b: its profile has changed: memory")
        os.unlink(os.path.join(deck.guests, "a.ini"))
        wait_said(deck, "a: its profile is gone")
        assert names(deck) == ["b"]
        # Nothing is said twice, and by hand there is nothing left to do.
        deck.guest("b", PLAIN % 32)
        reloaded = deck.run("reload")
        assert reloaded.stdout == "1 guest\n", reloaded
        assert len(said(deck, "b: ")) == 3, open(deck.errors).read()


def test_many_at_once_are_counted():
    with d.Deck() as deck:
        for number in range(40):
            deck.guest(f"g{number}", PLAIN % 16)
        assert len(deck.run("reload").stdout.splitlines()) in range(1, 42)
        d.wait_for(lambda: len(names(deck)) == 40, "40 guests")
        lines = len(said(deck, ": new profile"))
        more = sum(int(line.split()[1]) for line in said(deck, "more changes of profiles at once"))
        assert lines + more == 40, open(deck.errors).read()


def test_start_takes_what_is_on_disk():
    d.need_kvm()
    with d.Deck() as deck:
        # Each order comes before the deck had time to look by itself.
        deck.guest("a", PLAIN % 16)
        started = deck.run("start", "a")
        assert started.returncode == 0, started
        deck.wait_state("a", "running")
        deck.run("stop", "--force", "--wait", "a")
        deck.guest("a", PLAIN % 24)
        started = deck.run("start", "a")
        assert started.returncode == 0, started
        assert shown(deck, "a", "memory") == 24 << 20
        deck.run("stop", "--force", "--wait", "a")
        deck.guest("a", "[guest]\nmemory = lots\n")
        refused = deck.run("start", "a")
        assert refused.returncode == 1 and "mistakes" in refused.stderr, refused
        deck.guest("a", CARD % "wan")
        deck.write("config/vmdeck/switches/wan.ini", "[switch]\n")
        started = deck.run("start", "a")
        assert started.returncode == 0, started
        deck.wait_state("a", "running")


def test_a_guest_that_runs_is_told_of_and_left_alone():
    d.need_kvm()

    def prepare(folder):
        folder.guest("a", "[guest]\nautostart = yes\n" + PLAIN[len("[guest]\n"):] % 16)

    with d.Deck(prepare=prepare) as deck:
        deck.wait_state("a", "running")
        deck.guest("a", PLAIN % 32 + "[disk0]\npath = x\n")
        wait_said(deck, "a: its profile has changed: memory, autostart, disk0; "
                        "that applies when it is reset or started next")
        assert shown(deck, "a", "pending") == "memory, autostart, disk0"
        for command in ["list"], ["show", "a"]:
            assert "new at its next reset: memory, autostart, disk0" in deck.run(*command).stdout
        deck.guest("a", "[guest]\nmemory = lots\n")
        wait_said(deck, "a.ini:2: memory: 'lots' is not a size; write 512M or 2G; it goes on with "
                        "the one that it was started with")
        deck.guest("a", "[guest]\nautostart = yes\n" + PLAIN[len("[guest]\n"):] % 16)
        wait_said(deck, "a: its profile is again what it runs with")
        assert shown(deck, "a", "pending") is None
        deck.guest("a", PLAIN % 32)
        deck.wait_state("a", "running")
        assert "that applies when it is reset or started next" in deck.run("reload").stdout
        assert shown(deck, "a", "memory") == 16 << 20
        deck.run("stop", "--force", "--wait", "a")
        assert shown(deck, "a", "memory") == 32 << 20 and shown(deck, "a", "pending") is None
        started = deck.run("start", "a")
        assert started.returncode == 0, started
        os.unlink(os.path.join(deck.guests, "a.ini"))
        wait_said(deck, "a: its profile is gone; it goes on until it ends")
        assert "its profile is gone" in deck.run("list").stdout
        deck.run("stop", "--force", "--wait", "a")
        d.wait_for(lambda: names(deck) == [], "the guest to be forgotten")


def test_a_reset_applies_what_is_on_disk():
    d.need_kvm()

    def prepare(folder):
        folder.guest("a", "[guest]\nautostart = yes\n" + PLAIN[len("[guest]\n"):] % 16)

    def reset():
        result = deck.run("reset", "--wait", "a")
        assert result.returncode == 0, result

    with d.Deck(prepare=prepare) as deck:
        deck.wait_state("a", "running")
        deck.write("config/vmdeck/switches/wan.ini", SWITCH % 7)
        deck.guest("a", CARD % "wan")
        reset()
        wait_said(deck, "a: reset, and it has its profile's new autostart, net0")
        assert [net["switch"] for net in shown(deck, "a", "nets")] == ["wan"]
        assert shown(deck, "a", "restarts") == 1 and shown(deck, "a", "pending") is None
        console = deck.console("a")
        console.expect("10.0.7.")
        # A device that cannot be had, then mistakes: nothing is lost.
        deck.guest("a", PLAIN % 32 + "[disk0]\npath = missing.img\n")
        reset()
        wait_said(deck, "a: reset as it was before, as its new profile cannot be had: ")
        assert said(deck, "missing.img"), open(deck.errors).read()
        assert shown(deck, "a", "pending") == "memory, disk0, net0"
        deck.guest("a", "[guest]\nmemory = lots\n")
        reset()
        wait_said(deck, "a: reset as it was before, as its profile has mistakes")
        assert shown(deck, "a", "memory") == 16 << 20
        assert [net["switch"] for net in shown(deck, "a", "nets")] == ["wan"]
        # One that resets itself.
        deck.guest("a", PLAIN % 32)
        d.wait_for(lambda: shown(deck, "a", "pending") == "memory, net0", "the deck to see it")
        console.close()
        console = deck.console("a", backlog=False)
        console.send("\nreboot\n")
        wait_said(deck, "a: reset, and it has its profile's new memory, net0")
        assert shown(deck, "a", "memory") == 32 << 20


def test_switches_follow_their_profiles():
    d.need_kvm()

    def prepare(folder):
        folder.guest("a", CARD % "wan")
        folder.guest("b", CARD % "lan")
        folder.write("config/vmdeck/switches/wan.ini", SWITCH % 7)

    with d.Deck(prepare=prepare) as deck:
        wan = os.path.join(deck.switches, "wan.ini")
        before = addresses(deck)
        assert sorted(before) == ["lan", "wan"], before
        # Nobody is on it: applied at once. Then somebody is.
        deck.write(wan, SWITCH % 8)
        wait_said(deck, "switch wan: as its profile says now")
        assert "10.0.8.2" in str(addresses(deck)["wan"])
        started = deck.run("start", "a")
        assert started.returncode == 0, started
        deck.wait_state("a", "running")
        deck.write(wan, SWITCH % 9)
        wait_said(deck, "switch wan: its profile has changed; that is applied when no running "
                        "guest is on it")
        assert "10.0.8.2" in str(addresses(deck)["wan"])
        deck.write(wan, "[switch]\nuplink = moon\n")
        wait_said(deck, "wan.ini:2: uplink: ")
        wait_said(deck, "switch wan stays as it is: its profile has mistakes")
        # Who reloads hears of it although it is no news.
        for _ in range(2):
            text = deck.run("reload").stdout
            assert "its profile has changed; that is applied" not in text, text
            assert text.count("switch wan stays as it is: its profile has mistakes") == 1, text
            assert text.count("wan.ini:2: uplink: ") == 1, text
        deck.run("stop", "--force", "--wait", "a")
        assert "10.0.8.2" in str(addresses(deck)["wan"])
        refused = deck.run("start", "a")
        assert refused.returncode == 1, refused
        assert "a: net0: the profile of switch wan has mistakes" in refused.stderr, refused
        deck.write(wan, SWITCH % 9)
        d.wait_for(lambda: "10.0.9.2" in str(addresses(deck)["wan"]), "the one that is valid")
        # One that needs no file gets one, and loses it.
        deck.write("config/vmdeck/switches/lan.ini", SWITCH % 6)
        d.wait_for(lambda: "10.0.6.2" in str(addresses(deck)["lan"]), "lan by its profile")
        os.unlink(os.path.join(deck.switches, "lan.ini"))
        d.wait_for(lambda: addresses(deck)["lan"] == before["lan"], "lan without one")
        os.unlink(wan)
        reloaded = deck.run("reload").stdout
        assert sorted(addresses(deck)) == ["lan"], reloaded
        assert said(deck, "switch wan: its profile is gone"), reloaded
        refused = deck.run("start", "a")
        deck.wait_state("a", "failed")
        assert "there is no switch named wan" in shown(deck, "a", "reason"), refused


d.main()
