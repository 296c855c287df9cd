"""`make up AUTH=keycloak` as docs/keycloak.md has it."""

from pathlib import Path

from tests.documentation.terminal import Terminal, environment, shell


def test_up_with_keycloak_as_it_is_documented(tmp_path: Path) -> None:
    env = environment(tmp_path / "conference")
    shell("make keycloak", env)
    terminal = Terminal("make up AUTH=keycloak", env)
    try:
        assert "  (Keycloak; " in terminal.text
        assert "The platform has " in shell("make demo", env)
    finally:
        terminal.press_ctrl_c()
    assert "Forgotten" in shell("make reset", env)
