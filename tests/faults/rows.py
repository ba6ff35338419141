"""Which tests hold each row of the table of faults; `docs/explanation/faults.md` tells the same to people."""

from __future__ import annotations

_PATHS = "tests/faults/test_paths.py"
_NETWORK = "tests/faults/test_network.py"
_DISK = "tests/faults/test_disk.py"
_PROCESSES = "tests/faults/test_processes.py"
_FAULTS = "tests/transfer/test_faults.py"
_DOWNLOAD = "tests/transfer/test_download.py"
_FIGURES = "tests/transfer/test_figures.py"
_CANCEL = "tests/transfer/test_cancel.py"
_STORAGE = "tests/transfer/storage/test_targets.py"
_EVERY_WAY = [
    f"{_PATHS}::test_row_01_to_03_16_25_every_way",
    f"{_PATHS}::test_row_01_to_03_16_25_on_uvloop",
]
_CUTS = [
    *_EVERY_WAY,
    f"{_PATHS}::test_row_01_02_hundred_places",
    "tests/faults/test_figures.py::test_row_01_02_03_thousand_random_cuts",
    f"{_FAULTS}::test_little_is_sent_twice",
]

ROWS: dict[int, list[str]] = {
    1: _CUTS,
    2: _CUTS,
    3: [
        *_EVERY_WAY,
        f"{_PATHS}::test_row_03_stall_in_real_time",
        "tests/faults/test_figures.py::test_row_01_02_03_thousand_random_cuts",
        f"{_NETWORK}::test_row_03_05_the_time_before_counts_once",
        f"{_FAULTS}::test_stall_ends_within_the_idle_limit",
    ],
    4: [
        f"{_FAULTS}::test_drip_is_found_by_the_minimum_rate",
        f"{_NETWORK}::test_row_04_a_few_bytes_from_each_connection",
    ],
    5: [
        f"{_PATHS}::test_row_05_storage_down_keeps_the_part",
        f"{_NETWORK}::test_row_03_05_the_time_before_counts_once",
        f"{_FAULTS}::test_tries_are_bounded",
        f"{_FAULTS}::test_storage_retry_after",
        "tests/api/test_retries.py::test_a_server_error_is_tried_again",
    ],
    6: [
        f"{_NETWORK}::test_row_06_429_of_the_api",
        f"{_NETWORK}::test_row_06_429_without_end",
        "tests/api/test_retries.py::test_all_tasks_share_one_pause",
        "tests/transfer/test_bulk.py::test_pause_is_shared",
    ],
    7: [
        f"{_NETWORK}::test_row_07_secondary_limit",
        f"{_NETWORK}::test_row_07_31_primary_limit_and_a_wrong_clock",
        f"{_NETWORK}::test_row_07_limit_beyond_patience",
        "tests/protocol/test_throttling.py::test_rate_limits_and_permissions",
    ],
    8: [f"{_NETWORK}::test_row_08_urls_that_live_a_second", f"{_FAULTS}::test_url_expired_in_the_queue"],
    9: [f"{_FAULTS}::test_url_expired_in_mid_body", f"{_FIGURES}::test_expiry_costs_nothing"],
    10: [f"{_FAULTS}::test_expired_artifact"],
    11: [
        f"{_NETWORK}::test_row_11_part_that_is_too_long",
        f"{_FAULTS}::test_part_of_unknown_length_that_is_whole",
        "tests/protocol/test_ranges.py::test_416_is_all_or_too_much",
    ],
    12: [f"{_FAULTS}::test_part_and_range_ignored", "tests/protocol/test_ranges.py::test_200_is_the_whole"],
    13: [
        f"{_NETWORK}::test_row_13_wrong_range_for_ever",
        f"{_NETWORK}::test_row_13_chunked_206",
        f"{_FAULTS}::test_mended",
        "tests/protocol/test_ranges.py::test_206_that_does_not_fit",
    ],
    14: [f"{_FAULTS}::test_part_of_other_bytes", f"{_FAULTS}::test_mended"],
    15: [
        f"{_PATHS}::test_row_15_wrong_bytes_for_ever",
        f"{_FAULTS}::test_mismatch_names_both_digests",
        f"{_FIGURES}::test_random_damage",
    ],
    16: [
        *_EVERY_WAY,
        f"{_FAULTS}::test_mended",
        f"{_FAULTS}::test_lost",
        f"{_DOWNLOAD}::test_appliance_cut_cleanly",
    ],
    17: [f"{_FAULTS}::test_identity_is_asked_for"],
    18: [
        f"{_PATHS}::test_row_18_garbage_keeps_the_part",
        f"{_FAULTS}::test_mended",
        "tests/api/test_retries.py::test_a_broken_connection_is_tried_again",
    ],
    19: [
        f"{_DISK}::test_row_19_enospc_mid_write",
        f"{_DISK}::test_row_19_enospc_on_the_fast_path",
        f"{_DISK}::test_row_19_enospc_of_a_small_body",
        f"{_DISK}::test_row_19_space_is_checked_ahead",
        f"{_DISK}::test_row_19_no_names_left",
        f"{_DISK}::test_row_19_full_disk_in_bulk",
        f"{_DOWNLOAD}::test_full_disk",
        "tests/transfer/unzip/test_pipeline.py::test_full_disk",
    ],
    20: [f"{_FIGURES}::test_file_size_limit"],
    21: [
        f"{_DISK}::test_row_21_forbidden",
        f"{_DISK}::test_row_21_read_only",
        f"{_DISK}::test_row_21_read_only_with_everything_there",
        f"{_NETWORK}::test_row_21_destination_is_taken",
        f"{_DOWNLOAD}::test_directory_is_a_file",
        f"{_DOWNLOAD}::test_link_in_the_way",
    ],
    22: [f"{_DISK}::test_row_22_broken_fsync", f"{_DOWNLOAD}::test_broken_disk"],
    23: [
        f"{_FIGURES}::test_killed",
        f"{_PROCESSES}::test_row_23_killed_while_the_state_was_written",
        "tests/outsiders/test_leftovers.py::test_row_8_killed_at_the_commit",
        "tests/outsiders/test_kills.py::test_row_08_killed_while_a_folder_is_put_in_place",
        "tests/outsiders/test_kills.py::test_row_08_killed_while_a_file_and_its_record_are_put_in_place",
    ],
    24: [
        "tests/cli/test_running.py::test_a_signal_ends_it_cleanly_and_soon",
        "tests/cli/test_running.py::test_a_second_signal_ends_it_at_once",
    ],
    25: [
        *_EVERY_WAY,
        f"{_CANCEL}::test_download",
        f"{_CANCEL}::test_download_that_is_resumed",
        f"{_CANCEL}::test_download_many",
        "tests/faults/test_figures.py::test_row_25_thirty_two_at_once",
    ],
    26: [
        f"{_PROCESSES}::test_row_26_loop_that_ends",
        f"{_CANCEL}::test_loop_that_ends",
        f"{_CANCEL}::test_client_closed_under_a_transfer",
    ],
    27: [f"{_NETWORK}::test_row_27_name_that_flaps", f"{_NETWORK}::test_row_27_name_that_is_gone"],
    28: [
        "tests/transport/test_tls.py::test_a_certificate_that_is_not_accepted",
        "tests/transport/test_tls.py::test_http_on_a_port_of_https",
        f"{_STORAGE}::test_storage_with_another_certificate",
        f"{_STORAGE}::test_never_downgraded",
    ],
    29: [
        f"{_PROCESSES}::test_row_29_network_taken_away",
        f"{_NETWORK}::test_row_29_refused_for_a_while",
        f"{_NETWORK}::test_row_29_refused_for_ever",
    ],
    30: [f"{_NETWORK}::test_row_30_slow_line", f"{_FIGURES}::test_memory", f"{_FIGURES}::test_memory_of_many"],
    31: [
        f"{_NETWORK}::test_row_31_clock_that_jumps",
        f"{_NETWORK}::test_row_07_31_primary_limit_and_a_wrong_clock",
        "tests/protocol/test_redirects.py::test_the_life_is_counted_on_the_servers_clock",
    ],
    32: [
        f"{_PROCESSES}::test_row_32_lock_that_does_not_hold",
        f"{_PROCESSES}::test_row_32_four_at_once",
        f"{_PROCESSES}::test_row_32_wrong_bytes_of_a_robbed_process",
        f"{_PROCESSES}::test_row_32_a_living_process_keeps_its_part",
        f"{_FIGURES}::test_two_processes",
        f"{_FIGURES}::test_two_processes_after_a_third_was_killed",
    ],
    33: [
        f"{_FAULTS}::test_tampered_part",
        f"{_FAULTS}::test_whole_part_that_is_wrong",
        "tests/transfer/disk/test_partfile.py::test_changed_without_digest",
    ],
    34: [
        f"{_NETWORK}::test_row_34_no_request_to_elsewhere",
        f"{_STORAGE}::test_policy_refuses",
        f"{_STORAGE}::test_redirects_by_policy",
        "tests/protocol/test_redirects.py::test_where_a_signed_url_may_lead",
    ],
    35: [
        f"{_NETWORK}::test_row_35_token_only_to_the_api",
        "tests/api/test_listing.py::test_a_link_to_another_server",
        "tests/api/test_listing.py::test_items_added_meanwhile",
        "tests/api/test_listing.py::test_items_deleted_meanwhile",
        "tests/outsiders/test_listings.py::test_row_5_totals_that_promise_more",
        "tests/outsiders/test_listings.py::test_row_5_genuine_changes_complete",
        "tests/outsiders/test_listings.py::test_row_18_a_foreign_link_matters_only_when_it_is_followed",
    ],
}
