"""The check of include arrows finds what it is for: in a small tree made here."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts"))
import check_layers


class Arrows(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = self.temporary.name
        self.write("docs/layers.txt", "base:\nloop: base\nprotocol/tcp: base\n"
                   "establish: base\nestablish/assemble.c: protocol/tcp\ntools: include\n")
        self.write("src/base/a.h", "")

    def tearDown(self):
        self.temporary.cleanup()

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def wrong(self):
        return check_layers.check(self.root)[0]

    def test_downward_is_allowed(self):
        self.write("src/loop/l.c", '#include "base/a.h"\n')
        self.assertEqual(self.wrong(), [])

    def test_upward_is_refused(self):
        self.write("src/loop/l.h", "")
        self.write("src/base/b.c", 'int x;\n#include "loop/l.h"\n')
        self.assertEqual(len(self.wrong()), 1)
        self.assertIn("src/base/b.c:2: base may not include loop", self.wrong()[0])

    def test_one_file_may_have_more(self):
        self.write("src/protocol/tcp/tcp.h", "")
        self.write("src/establish/assemble.c", '#include "protocol/tcp/tcp.h"\n')
        self.assertEqual(self.wrong(), [])
        self.write("src/establish/tree.c", '#include "protocol/tcp/tcp.h"\n')
        self.assertEqual(len(self.wrong()), 1)

    def test_tools_see_the_public_api_only(self):
        self.write("include/Network/n.h", "")
        self.write("tools/x/m.c", "#include <Network/n.h>\n")
        self.assertEqual(self.wrong(), [])
        self.write("tools/x/m.c", '#include "base/a.h"\n')
        self.assertEqual(len(self.wrong()), 1)

    def test_unlisted_folder_and_missing_header(self):
        self.write("src/new/x.c", "")
        self.write("src/base/c.c", '#include "base/none.h"\n')
        self.assertEqual(len(self.wrong()), 2)

    def test_loop_of_four(self):
        ring = "wxyz"
        for i, name in enumerate(ring):
            self.write(f"src/base/{name}.h", "")
            self.write(f"src/base/{name}.c", f'#include "base/{ring[(i + 1) % 4]}.h"\n')
        self.assertTrue(any("a loop of 4" in line for line in self.wrong()))
        self.write("src/base/z.c", "")
        self.assertEqual(self.wrong(), [])


if __name__ == "__main__":
    unittest.main()
