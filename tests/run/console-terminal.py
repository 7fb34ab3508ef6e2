# SPDX-License-Identifier: GPL-2.0-or-later
"""Types at the console, in a pseudo terminal of 24 lines, and waits for what it shows:
completion, Ctrl-C, history, the pager.  Nothing depends on how long anything takes."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

PATIENCE = 50  # seconds
TIOCGPTN = 0x80045430  # the number of a pseudo terminal, which python has no name for
mtrace, log = sys.argv[1:]


class Console:
    def __init__(self, **environment):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(environment, TERM="xterm", INPUTRC="/dev/null",
                              XDG_STATE_HOME=os.path.abspath("state"))
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execv(mtrace, [mtrace, "-i", "-l", log])
        self.shown = ""
        self.prompt()

    def type(self, text):
        os.write(self.fd, text.encode())

    def await_(self, regex):
        """What was shown up to and with this, which is then done with."""
        while not (found := re.search(regex, self.shown)):
            ready = select.select([self.fd], [], [], PATIENCE)[0]
            try:
                more = os.read(self.fd, 65536) if ready else b""
            except OSError:
                more = b""
            if not more:
                sys.exit("no %r in what was shown: %r" % (regex, self.shown[-2000:]))
            self.shown += more.decode(errors="replace")
        text, self.shown = self.shown[:found.end()], self.shown[found.end():]
        return text

    def prompt(self):
        return self.await_(r"mtrace> ")

    def command(self, text):
        self.type(text + "\n")
        return self.prompt()

    def wait(self):
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        return os.waitpid(self.pid, 0)[1]

    def end(self, keys="\x04"):
        self.type(keys)
        status = self.wait()
        if status:
            sys.exit("the console ends with %#x" % status)


def check(what, condition, shown=""):
    if not condition:
        sys.exit("%s: %r" % (what, shown))


# Completion: of a command, a key to sort by, the one pid there is, a file.
c = Console(PAGER="")
c.type("statu\t")
c.await_("status ")
c.type("\t\n")
shown = c.prompt()
check("status PID", "exited with status 0" in shown, shown)
check("the pid", re.search(r"^\d+ *\r?\n", shown), shown)
c.type("show mar\t\n")
check("show marks", "no marks were set" in c.prompt())
open("somewhere", "w").close()
c.type("dump us\t>som\t\n")
shown = c.prompt()
check("dump usage >somewhere", re.search("usage *>somewhere", shown), shown)
check("the file that was completed", "keep_many" in open("somewhere").read())
check("no pager for PAGER=", c.command("list").count("0x") >= 2005)

# Ctrl-C clears the line, and what is typed next is a command of its own.
c.type("frobnicate")
c.await_("frobnicate")
c.type("\x03")
c.await_(r"\^C")
c.prompt()
check("after Ctrl-C", "no marks were set" in c.command("show marks"))
check("an error", "unknown command 'foo'" in c.command("foo"))
c.end()

# What was typed is known the next time; an error at a terminal is no exit status.
check("history", "show marks" in open("state/mtrace/history").read())
check("its mode", os.stat("state/mtrace/history").st_mode & 0o77 == 0)
c = Console(PAGER="cat >paged; echo that was the pager")
c.type("\x1b[A\x1b[A")  # foo, show marks
c.await_("show marks")
check("up", "no marks were set" in c.command(""))

# What is long goes through the pager, what is short does not.
check("the pager", "that was the pager" in c.command("list"))
check("all of it", len(open("paged").readlines()) >= 2005)
shown = c.command("show marks")
check("not paged", "no marks" in shown and "pager" not in shown, shown)
# On a terminal what matters most comes last, in a pager first.
os.remove("paged")
shown = c.command("top 2")
check("in the order of a terminal", 0 < shown.find("[2]") < shown.find("[1]"), shown)
c.command("dump")
paged = open("paged").read()
check("in the order of a file", 0 < paged.find("[1]") < paged.find("[2]"), paged)
c.end("quit\n")

# Another size of the terminal: what is typed is shown again, and commands heed it.
c = Console(PAGER="cat; echo that was the pager")
check("on 24 lines", "pager" not in c.command("show info"))
c.type("show mar")
c.await_("show mar")
fcntl.ioctl(c.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 4, 40, 0, 0))
c.await_("mtrace> show mar")
check("after another size", "no marks" in c.command("ks"))
check("on 4 lines", "that was the pager" in c.command("show info"))
c.end()

# A pager that is quit early, and one that is not there.
c = Console(PAGER="head -n 2")
shown = c.command("list")
check("a pager that ends", shown.count("0x") == 1, shown)
check("after it", "no marks" in c.command("show marks"))
c.end()

# Who is asked to end leaves the terminal as it was, and the history.
c = Console(PAGER="")
c.command("show searchpath")
number = struct.unpack("I", fcntl.ioctl(c.fd, TIOCGPTN, bytes(4)))[0]
terminal = os.open("/dev/pts/%d" % number, os.O_RDWR | os.O_NOCTTY)
check("readline reads keys, not lines", not termios.tcgetattr(terminal)[3] & termios.ICANON)
# Stopped for a while, it takes the terminal back as it needs it.
os.kill(c.pid, signal.SIGSTOP)
os.waitpid(c.pid, os.WUNTRACED)
modes = termios.tcgetattr(terminal)
modes[3] |= termios.ICANON | termios.ECHO
termios.tcsetattr(terminal, termios.TCSANOW, modes)
os.kill(c.pid, signal.SIGCONT)
c.prompt()
check("the terminal after SIGCONT", not termios.tcgetattr(terminal)[3] & termios.ICANON)

os.kill(c.pid, signal.SIGTERM)
status = os.waitpid(c.pid, 0)[1]
modes = termios.tcgetattr(terminal)[3]
check("the terminal after SIGTERM", modes & termios.ICANON and modes & termios.ECHO, modes)
check("the status after SIGTERM", os.waitstatus_to_exitcode(status) == 128 + signal.SIGTERM, status)
check("the history after SIGTERM", "show searchpath" in open("state/mtrace/history").read())
