"""Scripts of a list become one, in its order and without their block comments."""

from valleys.book.extensions.joined import joined


def test_scripts_are_joined_in_the_order_of_the_list(tmp_path):
    (tmp_path / "first.js").write_text(
        '/** What\n * it does. */\n(() => {\n  /** One. */\n  const a = "/*";\n})();\n'
    )
    (tmp_path / "second.js").write_text("const b = 1; // kept\n")
    (tmp_path / "joined.txt").write_text("second.js\nfirst.js\n")
    assert joined(tmp_path) == 'const b = 1; // kept\n(() => {\n  const a = "/*";\n})();\n'
