"""A pseudo terminal for tests in Python: what a program writes, its questions answered, keys sent."""
import codecs
import fcntl
import os
import re
import struct
import subprocess
import termios
import threading
import time

PATIENCE_S = 90


class Screen:
    """The characters of a terminal, from what is written to it: as much of xterm as curses uses."""

    def __init__(self, rows, cols):
        self.rows, self.cols = rows, cols
        self.cells, self.row, self.col = [[" "] * cols for _ in range(rows)], 0, 0

    def text(self):
        return "\n".join("".join(row) for row in self.cells)

    def feed(self, text):
        for found in re.finditer(r"\033\[([?>]?)([\d;]*)([@-~])|\033[P_].*?\033\\|\033[()].|\033.|[\s\S]", text):
            if found[3]:
                self.obey(found[1], [int(n or 0) for n in found[2].split(";")], found[3])
            elif found[0] == "\r":
                self.col = 0
            elif found[0] == "\n":
                self.row = min(self.row + 1, self.rows - 1)
            elif found[0] == "\b":
                self.col = max(self.col - 1, 0)
            elif found[0] >= " ":
                self.put(found[0])

    def put(self, character):
        self.cells[self.row][self.col] = self.last = character
        self.col = min(self.col + 1, self.cols - 1)        # curses never counts on a line going on in the next

    def blank(self, first, last):
        for i in range(first, last):
            self.cells[i // self.cols][i % self.cols] = " "

    def obey(self, mark, numbers, final):
        n, here = max(numbers[0], 1), self.row * self.cols + self.col
        if mark:
            return
        if final == "H":
            self.row, self.col = n - 1, max(numbers[1] if len(numbers) > 1 else 1, 1) - 1
        elif final in "Gd":
            self.row, self.col = (self.row, n - 1) if final == "G" else (n - 1, self.col)
        elif final in "ABCD":
            self.row += {"A": -n, "B": n}.get(final, 0)
            self.col += {"C": n, "D": -n}.get(final, 0)
        elif final == "K":
            self.blank(*((here, (self.row + 1) * self.cols) if numbers[0] == 0 else (self.row * self.cols, here + 1)))
        elif final == "J":
            self.blank(0 if numbers[0] == 2 else here, self.rows * self.cols)
        elif final == "X":
            self.blank(here, min(here + n, (self.row + 1) * self.cols))
        elif final == "P":
            self.cells[self.row] = (self.cells[self.row][:self.col] + self.cells[self.row][self.col + n:] + [" "] * n)[:self.cols]
        elif final == "@":
            self.cells[self.row] = (self.cells[self.row][:self.col] + [" "] * n + self.cells[self.row][self.col:])[:self.cols]
        elif final == "b":
            for _ in range(n):
                self.put(self.last)


class Terminal:
    """Runs <argv> on a terminal of its own. <attributes>: the answer to "what are you" (DA1), None: no answer."""

    def __init__(self, argv, environment, rows=24, cols=80, pixels=(0, 0), attributes=b"\033[?62;c", slow=None):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, *pixels))
        self.screen = Screen(rows, cols)
        self.attributes, self.slow, self.output, self.lock = attributes, slow, bytearray(), threading.Condition()

        def become_its_own():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
                                        preexec_fn=become_its_own)
        os.close(slave)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        asked, decoder, held = b"", codecs.getincrementaldecoder("utf-8")(errors="replace"), ""
        while True:
            try:
                if self.slow:
                    time.sleep(0.1)
                got = os.read(self.master, self.slow or 65536)
            except OSError:
                got = b""
            if not got:
                return
            asked = (asked + got)[-65536:]
            while True:
                question = re.search(rb"\033\[(5n|c)", asked)
                if not question:
                    break
                answer = b"\033[0n" if question[1] == b"5n" else self.attributes
                asked = asked[question.end():]
                if answer:
                    os.write(self.master, answer)
            held += decoder.decode(got)
            whole = re.search(r"\033([\[(][^@-~]*|[P_](?:(?!\033\\)[\s\S])*)?$", held)      # a sequence that goes on
            cut = whole.start() if whole else len(held)
            with self.lock:
                self.screen.feed(held[:cut])
                self.output += got
                self.lock.notify_all()
            held = held[cut:]

    def press(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, found, what, since=0, patience_s=PATIENCE_S):
        """Until found(output from byte <since> on); its value."""
        until = time.monotonic() + patience_s
        with self.lock:
            while not (value := found(bytes(self.output[since:]))):
                assert time.monotonic() < until, f"never came: {what}; screen:\n{self.screen.text()}"
                self.lock.wait(0.1)
        return value

    def shows(self, text):
        return self.wait_for(lambda output: text in self.screen.text(), text)

    def length(self):
        with self.lock:
            return len(self.output)

    def end(self):
        """The exit code, once it ends."""
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.thread.join(PATIENCE_S)
        os.close(self.master)


