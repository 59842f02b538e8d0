"""Which test holds which rule of the formats: what docker, podman, gluster, the kernel and old hosts print and do, as
read in their sources (by version), tried, or met in real reports. A rule without a test is not here: write the test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HELD: dict[str, dict[str, str]] = {
    "asking": {
        "an exit status of 0 is no success of --xml": "test_gluster_messages",
        "text comes though XML was asked for": "test_a_gluster_peer_without_and_with_locks test_text_before_the_xml",
        "two documents in one output": "test_two_documents_in_one_output test_more_documents_than_any_version_prints",
        "commands that lock: one peer, one at a time, slowly":
        "test_only_the_elected_peer_locks_and_an_event_does_not_lose_the_heals"
        " test_only_what_is_there_is_asked_and_seldom",
        "readings without a lock hold up nobody":
        "test_a_command_that_waits_for_another_peer_holds_up_neither_docker_nor_gluster",
        "a brick without a row is not well": "test_a_row_that_is_missing_is_down",
        "a volume that status leaves out is not well": "test_a_volume_that_the_status_leaves_out_is_not_well",
        "ids and one inspect, never columns": "test_an_el6_host_with_docker_1_6",
        "marks that no output can imitate": "test_output_that_imitates_the_framing_stays_output",
        "each command has its limit": "test_a_child_does_not_eat_the_script_and_is_killed_at_its_limit",
        "busy and not asked are neither well nor bad": "test_the_last_value_stays_with_its_age_until_the_lock_is_free",
        "a foreign status loop": "test_a_status_loop_that_holds_the_lock_leaves_the_last_value_with_its_age"
        " test_two_watchers_and_somebody_elses_status_loop_make_nothing_bad",
    },
    "docker's commands": {
        "a flag that 1.6 does not have": "test_docker_errors",
        "stats of 1.6 never end": "test_stats_that_never_end_are_not_begun",
        "stats: frames, screen codes, first all 0": "test_the_last_frame_of_stats_counts",
        "events of 1.6, of 1.10 and of podman": "test_each_form_of_an_event test_events_of_old_and_new",
        "events of 1.6 say no exit code": "test_a_death_of_1_6_has_no_code_and_is_not_well",
        "an attribute is text of others": "test_a_label_cannot_say_how_a_container_ended",
        "logs only of some drivers": "test_a_driver_that_cannot_is_said",
        "the version without a daemon": "test_versions_of_docker_and_podman",
        "the minimum API of 29": "test_errors_of_each_engine",
        "the shim of podman": "test_podman_by_dockers_name test_versions_of_docker_and_podman",
    },
    "docker ps": {
        "columns of 20, of 10": "test_each_status",
        "empty PORTS, empty STATUS": "test_empty_cells_links_and_ports",
        "offsets are characters": "test_wide_characters_are_counted_as_characters",
        "1.6 cuts the quoted command": "test_a_command_that_1_6_cut_within_its_quotes",
        "links among the names": "test_empty_cells_links_and_ports",
        "the grammar of STATUS": "test_each_status test_status_in_the_words_of_each_version",
        "columns of choice, compose": "test_rows_without_headings_and_tables_of_other_tools",
    },
    "docker inspect": {
        "state without Status": "test_container_state_with_and_without_status",
        "fields by version": "test_inspect_of_each_version",
        "restarts begin anew with docker start":
        "test_restarts_are_counted_over_ten_minutes_and_begin_anew_with_docker_start",
        "the limit of memory in Config": "test_inspect_of_each_version",
        "an image of the same name": "test_inspect_with_stderr_around_it_and_an_image_of_the_same_name",
        "gone between ps and inspect": "test_a_container_gone_between_ps_and_inspect_in_the_words_of_each_engine",
        "errors to classes": "test_docker_errors test_errors_of_each_engine",
        "no answer is a daemon that hangs": "test_docker_killed_at_its_limit_is_hung"
        " test_a_frozen_docker_daemon_hangs_and_its_files_and_the_kernel_say_what_runs",
        "its files when it hangs": "test_what_runs_by_file_and_kernel",
    },
    "cgroups": {
        "v1, v2, hybrid; native, lxc, systemd, libpod": "test_cgroups_of_each_engine_and_driver",
        "/cgroup of CentOS 6, by /proc/mounts": "test_cgroups_of_each_engine_and_driver",
        "working set without inactive files": "test_cgroups_of_each_engine_and_driver test_cgroup_v2",
        "no limit: max, 2^63, more than there is": "test_what_is_no_limit_of_memory",
    },
    "podman": {
        "one array; names in a list; unix seconds": "test_ps_as_json_of_each_engine test_json_of_docker_and_podman",
        "states of its own": "test_ps_as_json_of_each_engine",
        "Health or Healthcheck": "test_inspect_of_each_version",
        "rootful and rootless, real": "test_podman_running_ended_and_killed",
    },
    "gluster by version": {
        "heal info as text before 3.7.12": "test_heal_info_as_text",
        "summary from 3.13": "test_which_versions_count_heals_in_a_summary",
        "brick names of 3.4, of 3.5, of IPv6": "test_brick_names_of_3_4_and_ipv6",
        "ports of one number and of two": "test_rows_of_status_in_each_version",
        "distCount changed, stripeCount went": "test_the_count_whose_meaning_changed_does_not_matter",
        "master and primary": "test_geo_replication_as_text_in_both_words test_geo_replication_as_xml_in_both_words",
        "tiers of 3.7 to 5": "test_tiers_of_equal_sets_and_others test_rows_of_a_tiered_volume",
        "built without XML": "test_a_gluster_built_without_xml_is_read_as_text",
        "a word it does not know": "test_gluster_messages",
    },
    "peers": {
        "every state": "test_each_state_of_a_peer_in_text_and_xml",
        "rejected though connected": "test_a_peer_that_is_connected_but_rejected_is_critical",
        "each sees others: joined by uuid":
        "test_peers_that_lose_each_other test_a_peer_that_is_cut_off_does_not_make_the_others_lost",
        "no others is an answer": "test_a_peer_without_others_is_an_answer",
        "other names": "test_peer_status_as_text",
        "the pool has the asked peer, too": "test_the_asked_peer_in_a_pool_is_not_another",
    },
    "volumes": {
        "created, started, stopped": "test_whether_a_volume_is_started test_a_stopped_volume",
        "no volumes": "test_names_are_known_by_their_command_only",
        "counts in text: arbiter, redundancy": "test_volume_info_as_text",
        "fewer than declared": "test_volumes_that_are_fewer_than_declared_are_no_answer",
        "pid -1, N/A, a stale pid, more nodes than rows": "test_rows_of_status_in_each_version",
        "services among the rows": "test_daemons_that_are_down test_a_service_that_nobody_misses",
        "names cut at 43 characters, with blanks": "test_brick_names_of_any_length_with_blanks",
        "other volumes' errors between the rows": "test_what_gluster_says_of_other_volumes_stands_between",
        "details of a brick that is down; inodeSize":
        "test_details_of_a_brick_that_says_its_file_system_for_its_inodes_and_of_one_that_is_down"
        " test_status_detail_as_text",
        "snapshots where there are some": "test_name_state_and_time_of_each test_no_answer_is_no_empty_list"
        " test_what_glusterd_says_of_two_real_ones",
    },
    "heals": {
        "- is no number": "test_heal_counts test_heal_text_with_a_dash",
        "failed half-way": "test_heal_counts test_entries_and_their_number",
        "names with blanks and new lines, gfids": "test_heal_entries_of_any_name",
        "the marks wherever they stand": "test_the_split_brain_mark_wherever_its_line_ends",
        "3.4: unsuccessful; a table of times": "test_split_brain_of_3_4_has_a_table_after_its_number test_heal_counts",
        "no copies to heal is no error": "test_gluster_messages",
        "split-brain is not in the XML of heal info":
        "test_split_brain_is_in_the_summary_and_not_in_the_xml_of_heal_info",
        "a backlog by its age and count": "test_a_backlog_warns_only_after_its_time test_heals",
        "seldom where memory is low": "test_heal_info_is_asked_less_often_where_memory_is_low",
        "not there, while another peer can be asked": "test_one_low_on_memory_hands_over_to_one_that_is_not"
        " test_who_takes_over_asks_nothing_sooner_than_its_turn",
    },
    "tasks": {
        "rebalance: every number and word": "test_every_number_of_a_task test_rebalance_as_text",
        "none was started": "test_a_rebalance_that_never_ran_is_no_error",
        "quota, of 3.4 too": "test_quota_as_text test_quota_of_3_4_says_no_more_than_numbers",
        "get-state knows only its own bricks": "test_the_file_of_get_state",
    },
    "messages": {
        "each to its class": "test_gluster_messages",
        "each word for busy": "test_the_last_value_stays_with_its_age_until_the_lock_is_free",
        "busy is forgotten when another has the answer":
        "test_what_a_peer_could_not_ask_is_forgotten_when_another_has_the_answer",
        "a lock that is stale": "test_a_lock_that_is_not_given_back_is_said_after_three_minutes",
        "glusterd down, bricks serve": "test_glusterd_down_while_its_brick_still_serves",
        "server quorum": "test_how_many_peers_glusterd_wants test_two_peers_lost_is_lost"
        " test_server_quorum_lost_stops_the_last_peers_brick_and_is_named_as_the_reason",
        "client quorum": "test_client_quorum test_two_bricks_down_refuse_writes",
    },
    "without a lock": {
        "pid files in both places": "test_the_pid_file_of_a_brick_in_both_places",
        "pids are used again": "test_a_pid_used_again_is_no_brick",
        "multiplexed bricks": "test_a_multiplexed_process_serves_bricks_its_command_line_does_not_name",
        "pending entries without the base file": "test_a_gluster_peer_without_and_with_locks",
        "subvolumes in the order of bricks": "test_client_quorum test_disperse_4_plus_2",
        "a peer that nobody reaches": "test_a_peer_that_nobody_reaches_has_its_brick_down_before_any_status_is_asked"
        " test_the_elected_peer_cut_off_in_the_middle_of_its_command_costs_no_wait",
        "a glusterd that hangs": "test_a_process_seen_a_second_ago_runs_though_its_glusterd_has_not_answered_for_long"
        " test_a_brick_that_dies_while_the_elected_glusterd_is_frozen_is_seen_at_once",
    },
    "judging containers": {
        "each state to its level": "test_container_rules",
        "137 and 143 after a stop": "test_a_stop_explains_the_death test_container_rules",
        "an end of which no code is said": "test_a_death_of_1_6_has_no_code_and_is_not_well",
    },
    "CentOS 6": {
        "algorithms of each server":
        "test_servers_of_each_time_need_no_setting test_what_is_too_old_needs_the_setting_of_that_host",
        "few sessions": "test_one_session_a_connection_is_not_enough",
        "sudo wants a terminal": "test_the_reading_comes_through_a_terminal_and_says_so test_the_real_sudo",
        "the account's shell": "test_each_login_shell",
        "no MemAvailable, no pressure": "test_memory_of_an_old_kernel_is_estimated_as_newer_kernels_do"
        " test_a_host_without_pressure_and_available_memory_is_no_trouble",
        "dmesg counts from the boot, syslog has no year":
        "test_times_of_kernel_lines test_syslog_time_is_local_without_a_year",
        "df puts a long device on a line of its own": "test_rows_without_headings_and_tables_of_other_tools"
        " test_a_df_that_does_not_say_how_full_a_mount_is_leaves_it_unknown",
    },
    "out of memory": {
        "each kernel's lines": "test_oom_forms test_oom_kills_of_every_kernel test_the_oldest_form_of_a_kill",
        "before them a time, a level, a caller": "test_times_of_kernel_lines",
        "names with blanks and parentheses": "test_oom_forms",
        "a global kill names no container": "test_a_global_kill_is_joined_by_pid_or_by_time",
        "the flag alone does not tell": "test_an_oom_killed_container_by_flag_and_by_kernel_log",
        "a whole cgroup": "test_a_whole_cgroup_killed_is_each_of_its_processes_and_the_container",
        "bricks are victims": "test_the_sentence_names_the_brick test_a_brick_killed_by_the_kernel_for_memory_is_named",
        "one kill in two logs": "test_the_same_kill_in_two_logs_is_one",
        "or sacrifice child": "test_a_child_that_is_killed_in_anothers_place_is_the_only_kill",
        "systemd-oomd": "test_a_kill_by_systemd_oomd_names_its_container test_the_probe_brings_it",
        "lines of every boot are no trouble": "test_lines_that_every_boot_has_are_no_trouble",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """Names of all test functions, wherever they are."""
    found: set[str] = set()
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                found.add(node.name)
    return found


@pytest.mark.parametrize("of", HELD)
def test_each_rule_has_tests_that_exist(of: str, tests: set[str]) -> None:
    missing = {rule: names for rule, names in HELD[of].items() if not names or set(names.split()) - tests}
    assert not missing
